//! A review as API servers send it, read in one pass over its text.
//!
//! What comes before the object says how to read that, so that it is decoded where it stands; serde would first look for its end. Whatever
//! is not as API servers write it (other orders, escaped keys, faults of any kind) is left to [`Request::parse`]'s other way, which has the
//! words for it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::admission::moved::Moved;
use crate::admission::review::{
    BadReview, Change, GroupVersionKind, MAX_UID, Matter, REVIEW_API_VERSION, REVIEW_KIND, Request, UserInfo, decoded,
    is_being_deleted,
};
use crate::apis::{Row, Subject, decode_ahead, reviewed_row};

/// White space in JSON.
const WHITE: [char; 4] = [' ', '\n', '\r', '\t'];

/// What is read of a request: each at most once.
#[derive(Clone, Copy)]
enum Field {
    Uid,
    Kind,
    Subresource,
    Name,
    Namespace,
    Operation,
    User,
    Object,
    Old,
    DryRun,
}

impl Field {
    fn of(key: &str) -> Option<Self> {
        Some(match key {
            "uid" => Self::Uid,
            "kind" => Self::Kind,
            "subResource" => Self::Subresource,
            "name" => Self::Name,
            "namespace" => Self::Namespace,
            "operation" => Self::Operation,
            "userInfo" => Self::User,
            "object" => Self::Object,
            "oldObject" => Self::Old,
            "dryRun" => Self::DryRun,
            _ => return None,
        })
    }
}

/// What a request has said so far.
#[derive(Default)]
struct Said<'a> {
    /// Which of the fields, a bit each.
    fields: u16,
    uid: Option<&'a str>,
    kind: Option<GroupVersionKind>,
    subresource: bool,
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    operation: Option<&'a str>,
    by_service_account: bool,
    object: Option<Object<'a>>,
    old: Option<Object<'a>>,
    dry_run: bool,
}

/// An object: its text, and what it says where that has been read.
struct Object<'a> {
    text: &'a str,
    read: Option<Subject>,
}

/// Reads a review, in one pass where it can.
///
/// # Errors
/// As for [`Request::parse`].
pub fn parse(body: &[u8]) -> Result<Request, BadReview> {
    read(body).map_or_else(|| Request::parse(body), Ok)
}

/// The request; None: it is to be read the other way.
fn read(body: &[u8]) -> Option<Request> {
    let mut text = Text { rest: std::str::from_utf8(body).ok()? };
    let (mut is_review, mut is_version, mut said) = (false, false, None);
    text.object(|text, key| match key {
        "kind" => once(&mut is_review, text.string()? == REVIEW_KIND),
        "apiVersion" => once(&mut is_version, text.string()? == REVIEW_API_VERSION),
        "request" if said.is_none() => said.insert(Said::default()).read(text),
        "request" => None,
        _ => text.skip(),
    })?;
    (text.rest.trim_start_matches(WHITE).is_empty() && is_review && is_version).then_some(said)??.request()
}

/// Notes what holds and has not been said before.
fn once(noted: &mut bool, holds: bool) -> Option<()> {
    (holds && !std::mem::replace(noted, true)).then_some(())
}

impl<'a> Said<'a> {
    fn read(&mut self, text: &mut Text<'a>) -> Option<()> {
        text.object(|text, key| {
            let Some(field) = Field::of(key) else { return text.skip() };
            let bit = 1 << field as u16;
            if self.fields & bit != 0 {
                return None;
            }
            self.fields |= bit;
            self.field(text, field)
        })
    }

    fn field(&mut self, text: &mut Text<'a>, field: Field) -> Option<()> {
        match field {
            Field::Uid => self.uid = Some(text.string()?),
            Field::Kind => self.kind = Some(text.value()?),
            Field::Name => self.name = Some(text.string()?),
            Field::Operation => self.operation = Some(text.string()?),
            // These before the object, which is read by them.
            Field::Subresource | Field::Namespace if self.object.is_some() || self.old.is_some() => return None,
            Field::Subresource => self.subresource = !text.string()?.is_empty(),
            Field::Namespace => self.namespace = Some(text.string()?),
            Field::User => {
                let UserInfo { username } = text.value()?;
                self.by_service_account = username.is_some_and(|name| name.starts_with(UserInfo::SERVICE_ACCOUNT));
            }
            Field::DryRun => self.dry_run = text.value::<Option<bool>>()?.unwrap_or_default(),
            _ if text.is_null() => text.skip()?,
            Field::Object => self.object = Some(self.object(text)?),
            Field::Old => self.old = Some(self.object(text)?),
        }
        Some(())
    }

    /// The row of what is judged; None where it isn't.
    fn row(&self) -> Option<&'static Row> {
        let GroupVersionKind { group, version, kind } = self.kind.as_ref()?;
        let is_judged = !self.subresource && self.operation.is_none_or(|what| matches!(what, "CREATE" | "UPDATE"));
        reviewed_row(group, version, kind).filter(|_| is_judged)
    }

    fn object(&self, text: &mut Text<'a>) -> Option<Object<'a>> {
        let start = text.rest;
        match self.row().and_then(|row| decode_ahead(row, start, self.namespace.unwrap_or_default())) {
            Some((subject, length)) => {
                text.rest = start.get(length..)?;
                Some(Object { text: start.get(..length)?, read: Some(subject) })
            }
            None => {
                text.skip()?;
                let length = start.len() - text.rest.len();
                Some(Object { text: start.get(..length)?, read: None })
            }
        }
    }

    fn request(self) -> Option<Request> {
        let row = self.row();
        let uid = self.uid.filter(|uid| !uid.is_empty() && uid.len() <= MAX_UID)?.to_owned();
        let (namespace, name) = (self.namespace.unwrap_or_default(), self.name.unwrap_or_default());
        let operation = self.operation?;
        let GroupVersionKind { group, version, kind } = self.kind?;
        let json = |object: &Option<Object<'a>>| object.as_ref().map(|object| object.text);
        let moved = match self.subresource {
            true => None,
            false => Moved::of(&group, &version, &kind, namespace, json(&self.object), json(&self.old)),
        };
        let decode = |row, object: Object<'_>| match object.read {
            Some(subject) => Ok(subject),
            None => decoded(row, object.text, namespace, name),
        };
        let subject = match (row, operation) {
            (Some(_), "UPDATE") if is_being_deleted(self.object.as_ref()?.text) => Matter::Leaving,
            (Some(row), "UPDATE") => {
                let (new, old) = (decode(row, self.object?), decode(row, self.old?));
                Matter::Object(Box::new(Change { new, old: Some(old) }))
            }
            (Some(row), "CREATE") => Matter::Object(Box::new(Change { new: decode(row, self.object?), old: None })),
            _ => Matter::Unjudged,
        };
        Some(Request {
            uid,
            group,
            version,
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            operation: operation.to_owned(),
            dry_run: self.dry_run,
            by_service_account: self.by_service_account,
            subject,
            moved: moved.map(Box::new),
        })
    }
}

/// JSON text, from where it is read.
struct Text<'a> {
    rest: &'a str,
}

impl<'a> Text<'a> {
    /// An object, field by field.
    fn object(&mut self, mut field: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.take(b':')?;
            self.rest = trimmed(self.rest);
            field(self, key)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// A character that must be next, after white space.
    fn take(&mut self, wanted: u8) -> Option<()> {
        let rest = trimmed(self.rest);
        (rest.as_bytes().first() == Some(&wanted)).then(|| self.rest = rest.get(1..).unwrap_or_default())
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let end = self.rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
        let (string, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix('"')?;
        Some(string)
    }

    fn is_null(&self) -> bool {
        self.rest.starts_with("null")
    }

    /// A value of a type.
    fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<T>();
        let value = values.next()?.ok()?;
        self.rest = self.rest.get(values.byte_offset()..)?;
        Some(value)
    }

    /// A value of any type.
    fn skip(&mut self) -> Option<()> {
        self.value::<IgnoredAny>().map(drop)
    }
}

/// Text without the white space that it begins with, of which API servers write none.
fn trimmed(text: &str) -> &str {
    if text.starts_with(WHITE) { text.trim_start_matches(WHITE) } else { text }
}

#[cfg(test)]
#[path = "quick_tests.rs"]
mod tests;
