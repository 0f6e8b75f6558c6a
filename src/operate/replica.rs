//! What this replica is called.

/// The variable by which a pod learns its own name, from the downward API. On the network of its node the hostname is the node's.
const POD_NAME: &str = "POD_NAME";

/// The name of the pod that this is; of the machine where it is none.
pub(crate) fn own_name() -> String {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    named(std::env::var(POD_NAME).ok(), host)
}

fn named(pod: Option<String>, host: impl FnOnce() -> String) -> String {
    let pod = pod.filter(|pod| !pod.trim().is_empty());
    pod.unwrap_or_else(host).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_on_its_nodes_network_has_a_name_of_its_own() {
        let node = || "node-1\n".to_owned();
        assert_eq!(named(Some("meshvet-1".to_owned()), node), "meshvet-1");
        assert_eq!((named(None, node), named(Some(String::new()), node)), ("node-1".to_owned(), "node-1".to_owned()));
    }
}
