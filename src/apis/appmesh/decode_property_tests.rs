use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{BackendGroup, GatewayRoute, Mesh, VirtualGateway, VirtualNode, VirtualRouter, VirtualService};
use super::*;

/// JSON made of the API's own field names, so that it gets deep into the types.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        proptest::sample::select(vec![
            "spec",
            "metadata",
            "status",
            "listeners",
            "tls",
            "certificate",
            "file",
            "certificateChain",
            "mode",
            "validation",
            "trust",
            "acm",
            "backends",
            "virtualService",
            "clientPolicy",
            "portMapping",
            "port",
            "routes",
            "httpRoute",
            "action",
            "weightedTargets",
            "match",
            "podSelector",
            "matchLabels",
            "logging",
            "name",
            "tlss",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 128, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_decodes_or_is_refused(value in any_json()) {
        let text = value.to_string();
        macro_rules! both {
            ($($kind:ident)+) => {$(
                prop_assert_eq!(decode_value::<$kind>(&value), decode_json::<$kind>(&text));
            )+};
        }
        both!(Mesh VirtualNode VirtualGateway VirtualService VirtualRouter GatewayRoute BackendGroup);
    }

    #[test]
    fn any_text_decodes_or_is_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_json::<VirtualNode>(&text);
    }

    #[test]
    fn pointers_of_unknown_fields_lead_to_them(value in any_json()) {
        let object = json!({"spec": value});
        if let Ok(decoded) = decode_value::<VirtualNode>(&object) {
            for field in decoded.unknown_fields {
                prop_assert!(object.pointer(field.field.pointer()).is_some(), "{}", field.field);
                prop_assert!(field.field.segments().last().as_ref() == Some(&field.name));
            }
        }
    }
}
