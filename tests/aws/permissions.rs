//! The policies in `deploy/iam/` allow what the code calls, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use meshvet::apis::appmesh::STREAM_CONFIGURATION;
use meshvet::aws::{Call, DESCRIBE_AUTHORITY, DESCRIBE_CERTIFICATE, EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE};
use serde_json::Value;

fn policy(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/iam").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let policy: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(policy["Version"], "2012-10-17", "{name}");
    policy
}

/// Every action that a policy allows. Each has to be spelt out.
fn actions(policy: &Value, only: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().expect("statements");
    let mut actions = BTreeSet::new();
    for statement in statements.iter().filter(|statement| only(statement)) {
        assert_eq!(statement["Effect"], "Allow");
        for action in statement["Action"].as_array().expect("a list of actions") {
            let action = action.as_str().expect("an action");
            assert!(!action.contains('*'), "{action}");
            assert!(actions.insert(action.to_owned()), "{action} twice");
        }
    }
    actions
}

#[test]
fn meshvet_is_allowed_exactly_what_it_calls() {
    let policy = policy("meshvet.json");
    let sid = |statement: &Value| statement["Sid"].as_str().unwrap_or_default().to_owned();
    let named = |wanted: fn(Call) -> bool| -> BTreeSet<String> {
        let calls = Call::ALL.into_iter().filter(|call| call.needs_permission() && wanted(*call));
        calls.map(|call| call.to_string()).collect()
    };
    assert_eq!(actions(&policy, |_| true), named(|_| true));
    // What only the checks of roles take can be left out.
    assert_eq!(actions(&policy, |statement| sid(statement).starts_with("Roles")), named(Call::is_for_roles));
}

#[test]
fn the_others_are_allowed_exactly_what_their_roles_are_asked_about() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(actions(&policy("controller.json"), |_| true), set(&[DESCRIBE_CERTIFICATE, DESCRIBE_AUTHORITY]));
    assert_eq!(
        actions(&policy("proxy.json"), |_| true),
        set(&[EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE, STREAM_CONFIGURATION])
    );
}
