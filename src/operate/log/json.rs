//! Log lines as JSON, one object each: as `tracing_subscriber` writes them, which takes several times as long, for events outside of spans.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::DateTimePrinter;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

/// The target of what comes by the `log` crate: where it came from stands in fields.
const BY_LOG: &str = "log";
/// Microseconds, as `tracing_subscriber` has them.
const TIMES: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// Writes an event as a line.
#[derive(Debug)]
pub(super) struct JsonLines {
    /// For what isn't written here.
    other: Format<Json>,
}

impl JsonLines {
    pub(super) fn new() -> Self {
        Self { other: Format::default().json().flatten_event(true).with_target(false) }
    }
}

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() == BY_LOG || context.lookup_current().is_some() {
            return self.other.format_event(context, writer, event);
        }
        line(&mut writer, event)
    }
}

fn line(out: &mut Writer<'_>, event: &Event<'_>) -> fmt::Result {
    out.write_str("{\"timestamp\":\"")?;
    TIMES.print_timestamp(&Timestamp::now(), StdFmtWrite(&mut *out)).map_err(|_| fmt::Error)?;
    write!(out, "\",\"level\":\"{}\"", event.metadata().level())?;
    let mut fields = Fields { out, done: Ok(()) };
    event.record(&mut fields);
    fields.done?;
    out.write_str("}\n")
}

/// Writes fields after others.
struct Fields<'a, 'w> {
    out: &'a mut Writer<'w>,
    done: fmt::Result,
}

impl Fields<'_, '_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.done.is_ok() {
            // A field's name is an identifier of Rust, or of dots and identifiers.
            self.done = [",\"", field.name(), "\":"].into_iter().try_for_each(|part| self.out.write_str(part));
        }
        if self.done.is_ok() {
            self.done = value(self.out);
        }
    }
}

impl Visit for Fields<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, |out| match value.is_finite() {
            true => write!(out, "{value:?}"),
            false => out.write_str("null"),
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, |out| write!(out, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |out| write!(out, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, |out| out.write_str(if value { "true" } else { "false" }));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |out| {
            out.write_char('"')?;
            Escaped(out).write_str(value)?;
            out.write_char('"')
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, |out| {
            out.write_char('"')?;
            write!(Escaped(out), "{value:?}")?;
            out.write_char('"')
        });
    }
}

/// Writes text as a part of a JSON string.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            let (plain, special) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut chars = special.chars();
            match chars.next() {
                Some('"') => self.0.write_str("\\\"")?,
                Some('\\') => self.0.write_str("\\\\")?,
                Some('\n') => self.0.write_str("\\n")?,
                Some('\r') => self.0.write_str("\\r")?,
                Some('\t') => self.0.write_str("\\t")?,
                Some(control) => write!(self.0, "\\u{:04x}", u32::from(control))?,
                None => {}
            }
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, PoisonError};

    use serde_json::Value;
    use tracing_subscriber::fmt::{MakeWriter, layer as fmt_layer};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("text")
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no \"such\" file")]
    struct Fault;

    #[test]
    fn a_line_is_the_one_that_the_library_writes() {
        let (ours, theirs) = (Kept::default(), Kept::default());
        let subscriber = tracing_subscriber::registry()
            .with(fmt_layer().json().event_format(JsonLines::new()).with_writer(ours.clone()))
            .with(fmt_layer().json().flatten_event(true).with_target(false).with_writer(theirs.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let error: &(dyn std::error::Error + 'static) = &Fault;
            tracing::info!(uid = "u-1", dry_run = false, suppressed = 3_usize, below = -7, millis = 0.25, "verdict");
            tracing::warn!(error, list = ?["a", "b\n"], shown = %"x\"y", "a \"quoted\" {}\t\u{1}é", "thing");
            tracing::error!(zero = 0.0, small = 1e-9, large = 1e300, none = f64::NAN, otel.kind = "server");
            tracing::debug!(uid = "\u{7f}\u{2028}", "");
            let span = tracing::info_span!("outer", number = 1);
            span.in_scope(|| tracing::info!("within"));
        });
        let (ours, theirs) = (ours.text(), theirs.text());
        let parsed = |text: &str| -> Vec<Value> {
            let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
            lines
                .map(|mut line: Value| {
                    let time = line["timestamp"].take();
                    let time = time.as_str().expect("a time");
                    assert!(time.len() == 27 && time.ends_with('Z'), "{time}");
                    line
                })
                .collect()
        };
        assert_eq!(parsed(&ours), parsed(&theirs), "{ours}\n{theirs}");
        assert_eq!(ours.lines().count(), 5);
        let keys = |line: &str| {
            let marks = line.match_indices("\":").map(|(at, _)| line[..at].rsplit('"').next().unwrap_or_default());
            marks.map(str::to_owned).collect::<Vec<_>>()
        };
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            assert_eq!(keys(ours), keys(theirs), "in the same order");
        }
    }
}
