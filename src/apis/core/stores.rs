//! Secrets and ConfigMaps, reduced to facts about the files they become.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::apis::DecodeError;
use crate::k8s::{FieldPath, Word};
use crate::mesh::Store;
use crate::pki::FileFacts;

/// The type of a Secret that gives none.
pub(crate) const OPAQUE: &str = "Opaque";

/// A Secret's facts from its decoded data, which is zeroized once read.
pub fn secret_store(data: impl IntoIterator<Item = (String, Vec<u8>)>) -> Store {
    store_of_files(data)
}

/// A ConfigMap's facts from its text and binary data.
pub fn config_map_store(data: impl IntoIterator<Item = (String, Vec<u8>)>) -> Store {
    store_of_files(data)
}

/// The facts of any set of files. Contents are zeroized once read: one of them may be a key.
pub(crate) fn store_of_files(data: impl IntoIterator<Item = (String, Vec<u8>)>) -> Store {
    let files = data
        .into_iter()
        .map(|(name, bytes)| {
            let bytes = Zeroizing::new(bytes);
            (name, FileFacts::shared(&bytes))
        })
        .collect();
    Store { files, ..Store::default() }
}

/// A Secret manifest: `stringData` over `data`, as the API server lays them.
pub(in crate::apis) fn secret_from_value(mut value: Value) -> Result<Store, DecodeError> {
    let mut files = Vec::new();
    take_each(&mut value, "data", |name, mut text| {
        // The API server takes standard base64, line ends allowed.
        let compact = Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
        text.zeroize();
        match STANDARD.decode(compact.as_bytes()) {
            Ok(bytes) => {
                files.push((name.to_owned(), bytes));
                Ok(())
            }
            // The decoder's own words quote a byte of the value: they stay out.
            Err(_) => Err("is not base64"),
        }
    })?;
    take_each(&mut value, "stringData", |name, text| {
        files.push((name.to_owned(), text.into_bytes()));
        Ok(())
    })?;
    // The API server calls one Opaque that gives no type.
    let of_type = value.get("type").and_then(Value::as_str).filter(|given| !given.is_empty()).unwrap_or(OPAQUE);
    Ok(Store { of_type: Some(Word::shared(of_type)), ..secret_store(files) })
}

/// A ConfigMap manifest: `data` and `binaryData`.
pub(in crate::apis) fn config_map_from_value(mut value: Value) -> Result<Store, DecodeError> {
    let mut files = Vec::new();
    take_each(&mut value, "data", |name, text| {
        files.push((name.to_owned(), text.into_bytes()));
        Ok(())
    })?;
    take_each(&mut value, "binaryData", |name, text| match STANDARD.decode(text.as_bytes()) {
        Ok(bytes) => {
            files.push((name.to_owned(), bytes));
            Ok(())
        }
        Err(_) => Err("is not base64"),
    })?;
    Ok(config_map_store(files))
}

/// Takes the string members of a field out of the object. Errors name the place, never the content.
fn take_each(
    value: &mut Value,
    field: &str,
    mut take: impl FnMut(&str, String) -> Result<(), &'static str>,
) -> Result<(), DecodeError> {
    let at = FieldPath::root().key(field);
    let members = match value.get_mut(field).map(Value::take) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(DecodeError::new(at, "is not a map of strings")),
    };
    for (name, member) in members {
        let taken = match member {
            Value::String(text) => take(&name, text),
            Value::Null => take(&name, String::new()),
            _ => Err("is not a string"),
        };
        taken.map_err(|message| DecodeError::new(at.key(&name), message))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn string_data_lies_over_data() {
        let store = secret_from_value(json!({"data": {"a": "YQ==", "b": "Y\nmI="}, "stringData": {"a": "longer"}}))
            .expect("a store");
        let sizes: Vec<_> = store.files.iter().map(|(name, facts)| (name, facts.size)).collect();
        assert_eq!(sizes, [("a", 6), ("b", 2)]);
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_content() {
        let error = secret_from_value(json!({"data": {"tls/key": "s3cret!"}})).expect_err("an error");
        assert_eq!(error.to_string(), "/data/tls~1key: is not base64");
        let error = secret_from_value(json!({"data": []})).expect_err("an error");
        assert_eq!(error.field.pointer(), "/data");
        let error = config_map_from_value(json!({"data": {"a": 1}})).expect_err("an error");
        assert_eq!(error.field.pointer(), "/data/a");
    }
}
