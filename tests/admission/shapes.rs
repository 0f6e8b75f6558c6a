//! Broken HTTP and broken reviews, from `fuzz/seeds`, each changed in many ways: whatever comes is answered or hung up on, nothing fails inside,
//! and sound reviews are answered all the while. `MESHVET_SHAPES=N` tries N of each instead of a few hundred.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::bed::{create, node};
use crate::siege::Fort;

/// How long an answer to something broken may take: a request whose rest never comes has none.
const ANSWER: Duration = Duration::from_millis(300);

/// Numbers that look like chance, the same every time (xorshift, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (most.max(1) as u64)).expect("it is below")
    }

    /// One to four changes: a byte that is another, a piece that is gone, one that comes twice, an end that is missing.
    fn change(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let (at, length) = (self.below(text.len()), 1 + self.below(16));
            let piece = at..(at + length).min(text.len());
            match self.below(8) {
                0..=2 => text.get_mut(at).into_iter().for_each(|byte| *byte = self.below(256) as u8),
                3 | 4 => drop(text.drain(piece)),
                5 | 6 => {
                    let piece = text[piece].to_vec();
                    text.splice(at..at, piece);
                }
                _ => text.truncate(at),
            }
        }
        text
    }
}

fn tries() -> usize {
    std::env::var("MESHVET_SHAPES").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

/// Sends bytes on a connection of their own; what comes back, as far as anything does.
async fn send(fort: &Fort, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut stream) = fort.connect("http/1.1").await else { return answer };
    if stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok() {
        let _ = timeout(ANSWER, stream.read_to_end(&mut answer)).await;
    }
    answer
}

/// The statuses of the answers in what came back.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    let lines = text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 ")));
    lines.filter_map(|line| line.get(..3)?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_http_is_answered_or_hung_up_on() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/http");
    let mut shapes: Vec<_> =
        std::fs::read_dir(seeds).expect("the seeds").map(|file| file.expect("a file").path()).collect();
    shapes.sort();
    let shapes: Vec<Vec<u8>> = shapes.iter().map(|file| std::fs::read(file).expect("a seed")).collect();
    let fort = Fort::start().await;
    let answers = fort
        .under(async {
            let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
            let mut answers = Vec::new();
            for turn in 0..shapes.len() + tries() {
                let shape = &shapes[turn % shapes.len()];
                let sent = if turn < shapes.len() { shape.clone() } else { chance.change(shape) };
                let answer = send(&fort, &sent).await;
                for status in statuses(&answer) {
                    let is_fair = status < 500 || matches!(status, 501 | 503 | 505);
                    assert!(is_fair, "{status} to {:?}", String::from_utf8_lossy(&sent));
                    answers.push(status);
                }
            }
            answers
        })
        .await;
    assert!(answers.contains(&200) && answers.contains(&400), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_reviews_are_told_so() {
    let fort = Fort::start().await;
    let sound = create(node()).to_string().into_bytes();
    let answers = fort
        .under(async {
            let mut chance = Chance(0x2545_f491_4f6c_dd1d);
            let mut answers = Vec::new();
            for _ in 0..tries() {
                let body = chance.change(&sound);
                let head = format!(
                    "POST /validate?timeout=10s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\
                     Content-Length: {}\r\n\r\n",
                    body.len()
                );
                let answer = send(&fort, &[head.as_bytes(), &body].concat()).await;
                let statuses = statuses(&answer);
                let words = || format!("{statuses:?} to {:?}", String::from_utf8_lossy(&body));
                assert!(matches!(statuses.as_slice(), [200 | 400]), "{}", words());
                assert!(!String::from_utf8_lossy(&answer).contains("a bug of meshvet"), "{}", words());
                answers.extend(statuses);
            }
            answers
        })
        .await;
    assert!(answers.contains(&200) && answers.contains(&400), "{answers:?}");
}
