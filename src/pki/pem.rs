//! PEM as BoringSSL reads it, which differs from RFC 7468.
//!
//! Observed on Envoy 1.40: a block begins where a *line* is `-----BEGIN label-----`; white space and
//! control characters at the end of a line are dropped; lines are read in pieces of at most 253 bytes, so that a
//! BEGIN after exactly 253 bytes of comment does begin a block; anything between blocks is silently ignored,
//! even an indented BEGIN; but the first broken block, whatever its label, ends the reading.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::broken_block::{BlockFault, BrokenBlock};

/// The most blocks of a file that are read. A Secret of one mebibyte full of the smallest real certificates has about
/// 2,000; a file with more isn't a certificate file.
pub(crate) const MAX_BLOCKS: usize = 4096;

/// The longest piece in which a line is read.
const PIECE: usize = 253;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// BoringSSL ignores leftover bits after the last byte, but checks padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A complete block.
pub(super) struct Block {
    /// 1-based, counting every BEGIN of the file, ignored ones too.
    pub(super) number: usize,
    /// 1-based line of its BEGIN.
    pub(super) line: usize,
    pub(super) label: String,
    pub(super) headers: Headers,
    /// The decoded base64; perhaps a key.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// What is between BEGIN and the first blank line, if there is one (RFC 1421; today only in encrypted keys).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headers {
    None,
    Encrypted,
    /// Not valid headers; BoringSSL's error.
    Bad(&'static str),
}

/// A BEGIN that doesn't begin a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PassedOver {
    pub(super) number: usize,
    pub(super) line: usize,
    pub(super) label: String,
    pub(super) reason: PassedOverBecause,
}

/// Why a BEGIN doesn't begin a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PassedOverBecause {
    ByteOrderMark,
    Indented,
    AfterText,
    AfterNul,
    CarriageReturns,
    Malformed,
}

/// The contents of a file, up to where BoringSSL stops.
pub(super) struct Scan {
    pub(super) blocks: Vec<Block>,
    pub(super) passed_over: Vec<PassedOver>,
    pub(super) end: ScanEnd,
}

/// Why a scan ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScanEnd {
    EndOfFile,
    Broken(BrokenBlock),
    TooManyBlocks,
}

/// One piece of a line, without what BoringSSL strips from its end.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a [u8],
    /// 1-based number of its line.
    line: usize,
}

/// The pieces of a file. A copy saves the position.
#[derive(Clone, Copy)]
struct Pieces<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let window = self.rest.get(..PIECE).unwrap_or(self.rest);
        let newline = window.iter().position(|&byte| byte == b'\n');
        let taken = newline.map_or(window.len(), |at| at + 1);
        let (piece, rest) = self.rest.split_at_checked(taken)?;
        if piece.is_empty() {
            return None;
        }
        let line = self.line;
        self.rest = rest;
        self.line += usize::from(newline.is_some());
        // Bytes above 0x7f are negative where `char` is signed, so they are stripped as well.
        let end = piece.iter().rposition(|&byte| (b'!'..0x80).contains(&byte)).map_or(0, |at| at + 1);
        Some(Piece { text: piece.get(..end).unwrap_or_default(), line })
    }
}

/// Reads a file once, up to its end or its first broken block.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let mut scan = Scan { blocks: Vec::new(), passed_over: Vec::new(), end: ScanEnd::EndOfFile };
    let mut pieces = Pieces { rest: bytes, line: 1 };
    let mut number = 0;
    while let Some(piece) = pieces.next() {
        let Some(label) = begun_label(piece.text) else {
            if let Some((label, reason)) = near_miss(piece.text) {
                number += 1;
                if number > MAX_BLOCKS {
                    scan.end = ScanEnd::TooManyBlocks;
                    break;
                }
                let label = printable(label);
                scan.passed_over.push(PassedOver { number, line: piece.line, label, reason });
            }
            continue;
        };
        number += 1;
        if number > MAX_BLOCKS {
            scan.end = ScanEnd::TooManyBlocks;
            break;
        }
        match read_block(label, &mut pieces) {
            Ok((headers, der)) => {
                scan.blocks.push(Block { number, line: piece.line, label: printable(label), headers, der });
            }
            Err(fault) => {
                let label = printable(label);
                scan.end = ScanEnd::Broken(BrokenBlock { number, line: piece.line, label, fault });
                break;
            }
        }
    }
    scan
}

/// Whether any line begins a private key, even in a broken block.
pub(super) fn begins_private_key(bytes: &[u8]) -> bool {
    bytes.split(|&byte| byte == b'\n').any(|line| {
        line.starts_with(BEGIN)
            && begun_label(line.trim_ascii_end()).is_some_and(|label| label.ends_with(b"PRIVATE KEY"))
    })
}

/// The label, if a piece begins a block.
fn begun_label(text: &[u8]) -> Option<&[u8]> {
    let label = text.strip_prefix(BEGIN)?.strip_suffix(DASHES)?;
    (!label.contains(&0)).then_some(label)
}

/// A BEGIN that a person would take for the start of a block though BoringSSL doesn't.
fn near_miss(text: &[u8]) -> Option<(&[u8], PassedOverBecause)> {
    let at = find(text, BEGIN)?;
    let (before, from) = text.split_at_checked(at)?;
    let label = from.get(BEGIN.len()..)?;
    let end = label.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b' ')).unwrap_or(label.len());
    let (label, after) = label.split_at_checked(end)?;
    if label.is_empty() || !after.starts_with(b"-") {
        return None;
    }
    let reason = match before {
        [] if after.strip_prefix(DASHES).is_some_and(|rest| rest.starts_with(b"\r")) => {
            PassedOverBecause::CarriageReturns
        }
        [] => PassedOverBecause::Malformed,
        [0xef, 0xbb, 0xbf] => PassedOverBecause::ByteOrderMark,
        _ if before.contains(&b'\r') => PassedOverBecause::CarriageReturns,
        _ if before.contains(&0) => PassedOverBecause::AfterNul,
        _ if before.trim_ascii().is_empty() => PassedOverBecause::Indented,
        _ => PassedOverBecause::AfterText,
    };
    Some((label, reason))
}

/// Reads from a BEGIN to its END.
fn read_block(label: &[u8], pieces: &mut Pieces<'_>) -> Result<(Headers, Zeroizing<Vec<u8>>), BlockFault> {
    let body = *pieces;
    // Without a blank line the whole body is data; with one, the part above it is headers.
    let mut headers = None;
    let mut data = body;
    let end = loop {
        let Some(piece) = pieces.next() else {
            return Err(fault_of_missing_end(label, data));
        };
        if piece.text.starts_with(END) {
            break piece;
        }
        if piece.text.is_empty() && headers.is_none() {
            headers = Some(read_headers(body));
            data = *pieces;
        }
    };
    let headers = headers.unwrap_or(Headers::None);
    let named = end.text.strip_prefix(END).and_then(|rest| rest.strip_suffix(DASHES));
    if named != Some(label) {
        return Err(match find(end.text, BEGIN) {
            Some(_) => BlockFault::EndAndBeginOnOneLine { line: end.line },
            None => BlockFault::EndDiffers { line: end.line },
        });
    }
    let length = data.rest.len().saturating_sub(pieces.rest.len());
    let data = Pieces { rest: data.rest.get(..length).unwrap_or_default(), line: data.line };
    let der = decode(data).and_then(|der| if der.is_empty() { Err(BlockFault::NoData) } else { Ok(der) });
    match (der, headers) {
        (Ok(der), headers) => Ok((headers, der)),
        // A blank line in the middle has turned valid base64 into headers: that is the fault, not the rest below it.
        (Err(fault), Headers::Bad(_)) => Err(BlockFault::Headers { cause: fault.cause() }),
        (Err(fault), _) => Err(fault),
    }
}

/// Decodes the base64 of a block, up to its END.
fn decode(data: Pieces<'_>) -> Result<Zeroizing<Vec<u8>>, BlockFault> {
    // Both buffers are allocated in full: growing would leave copies of a key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(data.rest.len()));
    for piece in data.take_while(|piece| !piece.text.starts_with(END)) {
        text.extend(piece.text.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r')));
    }
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = BASE64.decode_slice(&text, &mut der).map_err(|_| fault_of_base64(data))?;
    der.truncate(length);
    Ok(der)
}

/// The fault of a body that isn't base64.
fn fault_of_base64(data: Pieces<'_>) -> BlockFault {
    let first = data.line;
    for piece in data.take_while(|piece| !piece.text.starts_with(END)) {
        let text = piece.text.trim_ascii();
        if find(text, BEGIN).is_some() {
            return BlockFault::BeginInside { line: piece.line };
        }
        if text.starts_with(END) {
            return BlockFault::EndIndented { line: piece.line };
        }
        if !text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/= \t\r".contains(byte)) {
            return BlockFault::Base64 { line: piece.line };
        }
    }
    BlockFault::Base64 { line: first }
}

/// The fault of a block that runs to the end of the file.
fn fault_of_missing_end(label: &[u8], data: Pieces<'_>) -> BlockFault {
    if label.contains(&b'\r') {
        return BlockFault::CarriageReturns;
    }
    if find(label, END).is_some() {
        return BlockFault::SingleLine;
    }
    for piece in data {
        let text = piece.text.trim_ascii_start();
        if text.starts_with(END) {
            return BlockFault::EndIndented { line: piece.line };
        }
    }
    BlockFault::NoEnd
}

/// Reads the headers of an encrypted key (RFC 1421, section 4.6.1.1), up to the first blank line.
fn read_headers(body: Pieces<'_>) -> Headers {
    let mut lines = body.map(|piece| piece.text).take_while(|text| !text.is_empty());
    let Some(first) = lines.next() else {
        return Headers::None;
    };
    let Some(kind) = first.strip_prefix(b"Proc-Type: ") else {
        return Headers::Bad("error:0900006d:PEM routines:OPENSSL_internal:NOT_PROC_TYPE");
    };
    let Some(kind) = kind.strip_prefix(b"4,") else {
        return Headers::Bad("error:09000073:PEM routines:OPENSSL_internal:UNSUPPORTED_PROC_TYPE_VERSION");
    };
    if !kind.starts_with(b"ENCRYPTED") {
        return Headers::Bad("error:0900006c:PEM routines:OPENSSL_internal:NOT_ENCRYPTED");
    }
    match lines.next().and_then(|line| line.strip_prefix(b"DEK-Info: ")) {
        Some(_) => Headers::Encrypted,
        None => Headers::Bad("error:0900006b:PEM routines:OPENSSL_internal:NOT_DEK_INFO"),
    }
}

/// A label for messages. In a broken file the label's place can contain a key, all on one line; so only
/// what looks like a label is shown.
fn printable(label: &[u8]) -> String {
    let end = find(label, DASHES).unwrap_or(label.len());
    let label = label.get(..end).unwrap_or_default();
    let is_label = label.len() <= 40
        && label.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" #./".contains(byte));
    if is_label { String::from_utf8_lossy(label).into_owned() } else { "unknown label".to_owned() }
}

/// The first position of `needle`, which begins with a dash.
pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|&byte| byte == b'-') {
        if text.get(from + at..)?.starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
