//! Text for people: what a terminal may show, counted nouns, hexadecimal, and "did you mean".

mod hex;
mod line;
mod placeholder;
mod style;
pub(crate) mod suggest;

pub(crate) use hex::{hex, hex_start};
pub(crate) use line::{cut, one_line, with_causes};
pub(crate) use placeholder::placeholder;
pub(crate) use style::Style;
pub(crate) use style::{BLUE, BOLD, FAINT, GREEN, RED, YELLOW, clean, is_unsafe, plural};
