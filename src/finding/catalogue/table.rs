//! The table of all rules, written once: whoever needs something of every rule reads it by a macro of their own.

/// Hands the table to the macro `$then`, a row for each rule, by code:
///
/// - its code: stable, and never used for another rule;
/// - its constant in the [catalogue](crate::finding::catalogue);
/// - its name, which reads as "allow hostname-mismatch";
/// - its default [severity](crate::finding::Severity);
/// - when it [breaks](crate::finding::Breaks) traffic;
/// - its module under `rules`, whose file is its manual and has its check, and whose folder says [whose](crate::finding::Rule::api)
///   it is, where it is about one API alone;
/// - its [traits](crate::finding::Trait);
/// - its summary: wrong when, in one line.
macro_rules! for_each_rule {
    ($then:ident) => {
        $then! {
            MV001 UNKNOWN_FIELD "unknown-field" Warn Nothing objects::unknown_field [FieldName]
                "a field that no version of the API has, and that will be dropped";
            MV002 MALFORMED_ANNOTATION "malformed-annotation" Warn Starting objects::malformed_annotation []
                "an annotation that the injector can't use";
            MV003 AMBIGUOUS_MEMBERSHIP "ambiguous-membership" Warn Starting appmesh::ambiguous_membership []
                "a workload selected by more than one virtual node or gateway";
            MV004 NOT_EXACTLY_ONE_SOURCE "not-exactly-one-source" Deny Applying appmesh::not_exactly_one_source []
                "none, or more than one, of alternatives that exclude each other";
            MV005 REFUSED_BY_APP_MESH "refused-by-app-mesh" Deny Applying appmesh::refused_by_app_mesh []
                "what the CRD accepts and the App Mesh API refuses";
            MV006 UNDECODABLE_OBJECT "undecodable-object" Deny Applying objects::undecodable_object []
                "an object that meshvet can't read";
            MV007 UNUSED_SUPPRESSION "unused-suppression" Warn Nothing objects::unused_suppression []
                "an entry that ignores a rule's findings, where there are none";
            MV008 REFUSED_BY_CRD "refused-by-crd" Deny Applying objects::refused_by_crd []
                "a manifest that the API's CustomResourceDefinition refuses";
            MV101 HOSTNAME_MISMATCH "hostname-mismatch" Deny Calling names::hostname_mismatch [Hostname, Calls]
                "no name of the certificate matches the DNS hostname of the virtual node";
            MV102 COMMON_NAME_ONLY "common-name-only" Warn Calling names::common_name_only [Hostname]
                "only the common name matches the hostname, which today's Envoy ignores";
            MV103 CLOUD_MAP_NAME "cloud-map-name" Warn Nothing appmesh::cloud_map_name [Hostname]
                "with Cloud Map, none of the certificate's names stands for the node";
            MV104 CLIENT_NAME_MISMATCH "client-name-mismatch" Deny Calling names::client_name_mismatch [Calls]
                "the names that a client policy lists match no name of the backend's certificate";
            MV105 PEER_NAME_MISMATCH "peer-name-mismatch" Deny Calling names::peer_name_mismatch [Calls]
                "the names that a listener lists match no name of a calling node's certificate";
            MV106 WILDCARD_IN_SAN_LIST "wildcard-in-san-list" Warn Nothing names::wildcard_in_san_list []
                "an entry of a subject alternative name list is a pattern, where only exact names count";
            MV107 POLICY_NEVER_APPLIES "policy-never-applies" Warn Nothing issuers::policy_never_applies []
                "a client policy for ports that none of its backends listens on, or of a node without backends";
            MV201 FILE_NOT_MOUNTED "file-not-mounted" Deny Starting files::file_not_mounted [Unknown]
                "nothing is mounted at the path that the proxy will read";
            MV202 FILE_MISSING "file-missing" Deny Starting files::file_missing [Unknown]
                "a volume is mounted there, and the file is not in it";
            MV203 WORKLOAD_UNKNOWN "workload-unknown" Warn Nothing files::workload_unknown [Unknown]
                "no workload is selected, so that certificate files can't be checked yet";
            MV204 CERTIFICATE_UNREADABLE "certificate-unreadable" Deny Starting files::certificate_unreadable []
                "what is there is not a PEM certificate that Envoy loads";
            MV205 KEY_UNREADABLE "key-unreadable" Deny Starting files::key_unreadable []
                "what is there is not a private key that Envoy loads";
            MV206 KEY_MISMATCH "key-mismatch" Deny Starting files::key_mismatch []
                "the private key is not the certificate's";
            MV207 CERTIFICATE_EXPIRED "certificate-expired" Deny Calling files::certificate_expired [Calls, Time]
                "the certificate is past its notAfter";
            MV208 CERTIFICATE_NOT_YET_VALID "certificate-not-yet-valid" Deny Calling files::certificate_not_yet_valid [Calls, Time]
                "the certificate is before its notBefore";
            MV209 CERTIFICATE_EXPIRING "certificate-expiring" Warn Later files::certificate_expiring [Time]
                "the certificate expires soon";
            MV210 CHAIN_INCOMPLETE "chain-incomplete" Deny Calling files::chain_incomplete [Calls]
                "the chain file lacks an intermediate between the leaf and what a known client trusts";
            MV211 CHAIN_DISORDERED "chain-disordered" Deny Starting files::chain_disordered []
                "the first certificate of the chain file is not the leaf";
            MV212 WRONG_KEY_USAGE "wrong-key-usage" Deny Calling files::wrong_key_usage [Calls]
                "an extended key usage that doesn't allow what the certificate is used for";
            MV213 WEAK_KEY "weak-key" Warn Nothing files::weak_key []
                "key, signature or lifetime outside the policy's profile";
            MV214 STRAY_PRIVATE_KEY "stray-private-key" Warn Nothing files::stray_private_key []
                "a trust bundle or chain file carries a private key";
            MV215 UNSUPPORTED_KEY "unsupported-key" Deny Calling files::unsupported_key []
                "a key that Envoy refuses, or that fails in the TLS handshake";
            MV216 CERTIFICATE_IGNORED "certificate-ignored" Warn Calling files::certificate_ignored []
                "Envoy silently drops a certificate of the file";
            MV217 NAMELESS_CERTIFICATE "nameless-certificate" Deny Starting files::nameless_certificate []
                "a certificate with neither common name nor subject alternative name";
            MV218 PROXY_NOT_INJECTED "proxy-not-injected" Warn Calling appmesh::proxy_not_injected []
                "no proxy is injected into the selected pods, so that nothing would load the file";
            MV219 SDS_DISABLED "sds-disabled" Warn Starting appmesh::sds_disabled []
                "a secret of the Secret Discovery Service (SDS) where that is disabled";
            MV220 SERVICE_BYPASSES_PROXY "service-bypasses-proxy" Warn Calling appmesh::service_bypasses_proxy []
                "the Service in front of a node sends the listener's port past the proxy";
            MV221 LOAD_BALANCER_MISMATCH "load-balancer-mismatch" Warn Calling issuers::load_balancer_mismatch []
                "a load balancer that terminates TLS can't connect to the listener behind it";
            MV222 REVOKED_BY_BUNDLE "revoked-by-bundle" Deny Calling issuers::revoked_by_bundle [Calls, Time]
                "a CRL in the trust bundle revokes a certificate of the path, has expired, or is missing for one";
            MV223 PROBE_CANNOT_AUTHENTICATE "probe-cannot-authenticate" Warn Starting issuers::probe_cannot_authenticate []
                "an HTTPS kubelet probe to a listener that asks for a client certificate";
            MV301 ISSUER_UNTRUSTED "issuer-untrusted" Deny Calling issuers::issuer_untrusted [Calls]
                "a client that reaches the listener doesn't trust its issuer, or the reverse";
            MV302 ISSUER_NOT_ALLOWED "issuer-not-allowed" Deny Nothing issuers::issuer_not_allowed []
                "the policy lists allowed issuers, and the certificate's is none of them";
            MV303 TRUST_UNREADABLE "trust-unreadable" Deny Starting issuers::trust_unreadable []
                "a trust bundle that holds no certificate Envoy loads";
            MV304 CLIENT_CERTIFICATE_MISSING "client-certificate-missing" Deny Calling issuers::client_certificate_missing [Calls]
                "a listener validates clients, and a calling node presents no certificate";
            MV305 PLAINTEXT_SERVER "plaintext-server" Deny Calling issuers::plaintext_server [Calls]
                "a client enforces TLS on a backend whose listener speaks plaintext";
            MV306 PLAINTEXT_PROBE "plaintext-probe" Warn Starting issuers::plaintext_probe []
                "a kubelet probe in plaintext to the port of a STRICT listener";
            MV307 TLS_NOT_REQUIRED "tls-not-required" Off Nothing issuers::tls_not_required []
                "a listener that isn't STRICT where the policy says it must be";
            MV308 BACKEND_DELETED "backend-deleted" Warn Calling issuers::backend_deleted []
                "a service that a node calls is being deleted";
            MV401 ACM_ARN_MALFORMED "acm-arn-malformed" Deny Applying acm::acm_arn_malformed []
                "a value that is not the ARN of a certificate, or of a certificate authority";
            MV402 ACM_OTHER_REGION "acm-other-region" Deny Applying acm::acm_other_region []
                "a certificate or authority in another Region than the node's";
            MV403 ACM_OTHER_ACCOUNT "acm-other-account" Deny Applying acm::acm_other_account []
                "a certificate of another account than the node's";
            MV404 ACM_NOT_FOUND "acm-not-found" Deny Applying acm::acm_not_found [Aws]
                "AWS has no such certificate or authority";
            MV405 ACM_NOT_PRIVATE "acm-not-private" Deny Applying acm::acm_not_private [Aws]
                "an ACM certificate that AWS Private CA did not issue";
            MV406 ACM_NOT_ISSUED "acm-not-issued" Deny Applying acm::acm_not_issued [Aws]
                "an ACM certificate that is pending, expired, revoked or failed";
            MV407 ACM_AUTHORITY_UNUSABLE "acm-authority-unusable" Deny Calling acm::acm_authority_unusable [Aws]
                "an authority that is not active";
            MV408 ACM_UNVERIFIED "acm-unverified" Warn Nothing acm::acm_unverified [Unknown, Aws]
                "AWS did not answer a question that the verdict depends on";
            MV409 ENVOY_CANNOT_EXPORT "envoy-cannot-export" Warn Starting acm::envoy_cannot_export [Aws]
                "the proxy's role may not fetch its certificate, or an authority's certificate";
            MV410 PROXY_NOT_AUTHORIZED "proxy-not-authorized" Warn Starting appmesh::proxy_not_authorized [Aws]
                "the proxy's role may not fetch its configuration, or may fetch every node's";
            MV411 ACM_AUTHORITY_NOT_ROOT "acm-authority-not-root" Warn Calling acm::acm_authority_not_root [Aws]
                "a client policy trusts a subordinate authority by its ARN";
            MV412 CONTROLLER_NOT_AUTHORIZED "controller-not-authorized" Warn Applying appmesh::controller_not_authorized [Aws]
                "the role that creates nodes may not describe the certificates that they name";
            MV413 ACM_KEY_ALGORITHM "acm-key-algorithm" Warn Calling acm::acm_key_algorithm [Aws]
                "an ACM certificate whose key is not RSA";
            MV501 LISTENER_WITHOUT_TLS "listener-without-tls" Deny Calling gateway::listener_without_tls []
                "an HTTPS listener has no certificate: its controller refuses it, or closes every connection";
            MV502 SECRET_BREAKS_NEIGHBOURS "secret-breaks-neighbours" Deny Starting files::secret_breaks_neighbours []
                "a Secret passes its gateway's controller, and its Envoy refuses it at the next start";
            MV503 REFERENCE_UNUSABLE "reference-unusable" Deny Calling gateway::reference_unusable []
                "a listener names what its controller takes no certificate from";
            MV504 UNCOVERED_HOSTNAME "uncovered-hostname" Warn Calling names::uncovered_hostname [Hostname]
                "no certificate of a gateway's listener, or of an Ingress, covers a host that it is asked for";
            MV505 REFERENCE_NOT_GRANTED "reference-not-granted" Warn Calling gateway::reference_not_granted []
                "a listener names a Secret of another namespace, and no ReferenceGrant lets it";
            MV506 SHARED_CERTIFICATE "shared-certificate" Warn Calling gateway::shared_certificate []
                "one certificate covers the hosts of two listeners on one port";
            MV507 POLICY_MISSES_PORT "policy-misses-port" Deny Calling gateway::policy_misses_port []
                "a policy names a port that its Service doesn't have";
            MV508 POLICY_CONFLICT "policy-conflict" Warn Applying gateway::policy_conflict []
                "another policy for the same target wins";
            MV509 AUTHORITY_UNUSABLE "authority-unusable" Deny Calling gateway::authority_unusable []
                "a policy takes authorities from what holds no certificate";
            MV510 NAME_UNCHECKED "name-unchecked" Warn Nothing gateway::name_unchecked []
                "the controller doesn't check a backend's certificate against the policy's hostname";
            MV511 INSECURE_FALLBACK "insecure-fallback" Warn Nothing gateway::insecure_fallback []
                "a Gateway asks clients for certificates, and lets others in";
            MV512 CLIENT_CERTIFICATE_UNUSED "client-certificate-unused" Warn Nothing gateway::client_certificate_unused []
                "a client certificate for backends is never presented";
            MV513 PASSTHROUGH_CERTIFICATE "passthrough-certificate" Deny Calling gateway::passthrough_certificate []
                "a listener that passes TLS through names certificates";
            MV701 NEVER_ISSUED "never-issued" Warn Calling promises::never_issued []
                "an annotation asks cert-manager for a Secret that it won't make";
            MV702 SECRET_CONTESTED "secret-contested" Warn Nothing promises::secret_contested []
                "two Certificates fill the Secret that a listener serves with";
        }
    };
}

pub(crate) use for_each_rule;
