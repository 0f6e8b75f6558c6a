//! What is certain about each controller, by the `controllerName` of its classes.
//!
//! Tested on the controllers themselves: Envoy Gateway 1.9.1, istiod of August 2026 and Contour 1.33.8, each with Envoy 1.40. One name
//! stands for many versions, so only what is true of all supported versions is here. NGINX Gateway Fabric, Cilium, Traefik, Kong, kgateway
//! and the controllers of cloud providers are unknown.

use crate::mesh::{Authorities, Loads, PLAIN, Plane, UNKNOWN};

/// The type of Envoy Gateway's own Secrets, whose key names what an SDS server delivers.
const SDS: &str = "gateway.envoyproxy.io/sds";

/// The kind for authorities of a whole cluster.
const BUNDLE: &str = "ClusterTrustBundle.certificates.k8s.io";

/// Parses both files as Go does, and gives Envoy what it parsed.
static ENVOY_GATEWAY: Plane = Plane {
    name: "Envoy Gateway",
    loads: Loads::Parsed,
    secret_types: &["kubernetes.io/tls", SDS],
    other_types: &[SDS],
    needs_certificate: true,
    refuses_unused: true,
    refuses_ended: true,
    refuses_other_blocks: true,
    authorities: Authorities {
        of_backends: &["ConfigMap", "Secret", BUNDLE],
        of_clients: &["ConfigMap", "Secret", BUNDLE],
        keys: &["ca.crt", "tls.crt"],
        no_other_key: false,
        most_of_clients: None,
    },
    ..PLAIN
};

/// Checks whether Go accepts both files as a pair, and passes them on unchanged.
static ISTIO: Plane = Plane {
    name: "Istio",
    loads: Loads::Checked,
    other_keys: Some(("cert", "key")),
    needs_certificate: true,
    checks_name: false,
    most_certificates: Some(2),
    authorities: Authorities {
        of_backends: &["ConfigMap"],
        of_clients: &["ConfigMap", "Secret"],
        keys: &["cacert", "ca.crt"],
        no_other_key: true,
        most_of_clients: Some(1),
    },
    ..PLAIN
};

/// Checks neither file, and delivers each pair in a stream of its own.
static CONTOUR: Plane = Plane {
    name: "Contour",
    loads: Loads::Unseen,
    secret_types: &["kubernetes.io/tls", "Opaque"],
    needs_certificate: true,
    most_certificates: Some(1),
    ..PLAIN
};

/// The plane of a controller.
pub fn plane_of(controller: &str) -> &'static Plane {
    match controller {
        "gateway.envoyproxy.io/gatewayclass-controller" => &ENVOY_GATEWAY,
        "istio.io/gateway-controller" => &ISTIO,
        _ if controller.starts_with("projectcontour.io/") => &CONTOUR,
        _ => &UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_tried_is_unknown() {
        for controller in
            ["gateway.nginx.org/nginx-gateway-controller", "io.cilium/gateway-controller", "istio.io/unmanaged", ""]
        {
            assert_eq!(plane_of(controller).loads, Loads::Unknown, "{controller}");
        }
        assert_eq!(plane_of("projectcontour.io/gateway-controller").name, "Contour");
    }
}
