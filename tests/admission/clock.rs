//! A clock that is moved, forth and back: each verdict is as of the time that it shows then.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{Timestamp, ToSpan as _};

use crate::bed::{Bed, SOUND, create, node};

#[tokio::test]
async fn a_moved_clock_counts_from_the_next_review_on() {
    let days = Arc::new(AtomicI64::new(0));
    let bed = Bed::serving(&SOUND).by(Arc::new({
        let days = Arc::clone(&days);
        move || Timestamp::now() + (24 * days.load(Ordering::Relaxed)).hours()
    }));
    let at = async |day| {
        days.store(day, Ordering::Relaxed);
        bed.ask(&create(node())).await
    };
    at(0).await.passes_silently();
    at(20_000).await.denies(&["MV207"]);
    at(0).await.passes_silently();
    at(-10_000).await.denies(&["MV208"]);
    at(0).await.passes_silently();
}
