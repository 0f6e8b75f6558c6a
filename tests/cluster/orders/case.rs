//! Cases that are a line of a table each: what is written, step by step, and what has to be reported of each step. All of them are run side
//! by side, each in a namespace of its own, with one wait for the watcher after each step; each is a test of its own all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::orders::bed::{Bed, Event};
use crate::orders::shop::Shop;
use crate::orders::writes::{Said, Write};

/// Who writes side by side.
const WRITERS: usize = 8;
/// How long an Event may take once the watcher has judged: it writes ten a second.
const TOLD: Duration = Duration::from_secs(40);
/// What is said of a node while something that it rests on isn't there yet.
const NOT_YET: [&str; 4] = ["MV201", "MV202", "MV203", "MV218"];

/// What is done in a namespace.
pub(crate) type Steps = dyn Fn(&Shop) -> Vec<Step> + Send + Sync;

/// A case: its name says the behaviour.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) steps: Box<Steps>,
}

/// Writes without a pause, and what has to be reported of them.
pub(crate) struct Step {
    pub(crate) writes: Vec<Write>,
    pub(crate) expected: Expected,
}

/// What has to be reported of a step.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// It is no matter: more is to come.
    Anything,
    /// No warning, no refusal, and no problem afterwards.
    Silence,
    /// No problem afterwards, and no word before the last write but of what isn't there yet.
    Soundness,
    /// The last write is refused or warned of in a line that has both: the rule, and the name of the member or the call. Where it was stored, an
    /// Event tells it too.
    Report(&'static str, String),
    /// The same, of any of the writes, or by an Event alone.
    Somehow(&'static str, String),
    /// By an Event alone, about a member of this name.
    Event(&'static str, String),
    /// The last write is warned of so, and stored.
    Warning(&'static str, String),
    /// The same as a report, and nothing was refused.
    Passed(&'static str, String),
    /// The last write is refused for it.
    Refusal(&'static str, String),
    /// Nothing is refused.
    Passing,
}

/// A cluster with these cases, run as soon as one of them is asked for.
pub(crate) struct Table {
    cases: Vec<Case>,
    /// What is wrong, by the number of the case; None where they could not be run.
    failures: OnceLock<Option<BTreeMap<usize, String>>>,
    bed: fn() -> &'static Bed,
    prefix: &'static str,
}

impl Table {
    /// The tests of some cases, named after `theme`.
    pub(crate) fn trials(theme: &'static str, bed: fn() -> &'static Bed, cases: Vec<Case>) -> Vec<Trial> {
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len(), "two cases of {theme} have one name");
        let table: &'static Self = Box::leak(Box::new(Self { cases, failures: OnceLock::new(), bed, prefix: theme }));
        let trial = |(number, case): (usize, &Case)| {
            Trial::test(format!("orders::{theme}::{}", case.name), move || {
                let failures = table.failures.get_or_init(|| catch_unwind(AssertUnwindSafe(|| table.run())).ok());
                let failures = failures.as_ref().ok_or("the table could not be run: see the first panic above")?;
                failures.get(&number).map_or(Ok(()), |failure| Err(Failed::from(failure)))
            })
        };
        table.cases.iter().enumerate().map(trial).collect()
    }

    /// Runs them all; returns what is wrong, by the number of the case.
    fn run(&self) -> BTreeMap<usize, String> {
        let bed = (self.bed)();
        let mut runs = self.side_by_side((0..self.cases.len()).collect(), |number: usize| {
            let shop = Shop::new(&format!("{}-{number}", self.prefix));
            bed.does(&Write::Apply(shop.namespace())).succeeds();
            let steps = (self.cases[number].steps)(&shop);
            Run {
                shop,
                steps: steps.into_iter(),
                now: None,
                events: BTreeSet::new(),
                wrong: BTreeSet::new(),
                failure: None,
                log: Vec::new(),
            }
        });
        loop {
            runs = self.side_by_side(runs, |run: Run| run.write(bed));
            if runs.iter().all(|run| run.now.is_none()) {
                break;
            }
            bed.settle();
            runs = self.side_by_side(runs, |run: Run| run.judge(bed));
        }
        let failures = runs.into_iter().enumerate();
        failures
            .filter_map(|(number, run)| Some((number, format!("{}\n{}", run.failure?, run.log.join("\n")))))
            .collect()
    }

    /// Does the work of each, a few at a time, in their order.
    fn side_by_side<I: Send, O: Send>(&self, all: Vec<I>, work: impl Fn(I) -> O + Sync) -> Vec<O> {
        let (next, count) = (AtomicUsize::new(0), all.len());
        let inputs: Vec<Mutex<Option<I>>> = all.into_iter().map(|input| Mutex::new(Some(input))).collect();
        let outputs: Vec<Mutex<Option<O>>> = (0..count).map(|_| Mutex::new(None)).collect();
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(input) = inputs.get(at).and_then(|input| input.lock().unwrap().take()) else { break };
                        *outputs[at].lock().unwrap() = Some(work(input));
                    }
                });
            }
        });
        outputs.into_iter().map(|output| output.into_inner().unwrap().expect("done")).collect()
    }
}

/// A case under way.
struct Run {
    shop: Shop,
    steps: std::vec::IntoIter<Step>,
    /// What the step expects, and what was said of it.
    now: Option<(Expected, Vec<Said>)>,
    /// The Events of the steps before, and the rules that found something after the last of them.
    events: BTreeSet<String>,
    wrong: BTreeSet<String>,
    failure: Option<String>,
    log: Vec<String>,
}

impl Run {
    /// Makes the writes of the next step, if there is one.
    fn write(mut self, bed: &Bed) -> Self {
        let step = self.steps.next().filter(|_| self.failure.is_none());
        self.now = step.map(|Step { writes, expected }| {
            let said: Vec<Said> = writes.iter().map(|write| bed.does(write)).collect();
            self.log.extend(said.iter().map(Said::to_string));
            self.log.push(format!("  expected: {expected:?}"));
            (expected, said)
        });
        self
    }

    /// Compares what was reported with what is expected, once the watcher has judged.
    fn judge(mut self, bed: &Bed) -> Self {
        let Some((expected, said)) = &self.now else { return self };
        if let Err(why) = self.holds(bed, expected, said) {
            self.failure = Some(why);
        }
        self.events = bed.events(&self.shop.name).into_iter().map(|event| event.name).collect();
        self.wrong = bed.figures().rules(&self.shop.name).into_iter().map(str::to_owned).collect();
        self
    }

    fn holds(&self, bed: &Bed, expected: &Expected, said: &[Said]) -> Result<(), String> {
        let last = said.last().ok_or("nothing was written")?;
        let is_broken = said.iter().find(|said| !said.is_done() && said.code != 403);
        is_broken.map_or(Ok(()), |said| Err(format!("failed: {said}")))?;
        match expected {
            Expected::Anything => Ok(()),
            Expected::Silence => self.is_silent(bed, said, &[]),
            Expected::Soundness => {
                let words = last.lines();
                if !words.is_empty() {
                    return Err(format!("a false alarm of what was written a moment ago: {words:#?}"));
                }
                self.is_silent(bed, said, &NOT_YET)
            }
            Expected::Passing => self.passes(said),
            Expected::Report(rule, who) => {
                reports(last, rule, who)?;
                if last.is_done() { self.is_told(bed, rule, who) } else { Ok(()) }
            }
            Expected::Passed(rule, who) => {
                self.passes(said)?;
                reports(last, rule, who)?;
                self.is_told(bed, rule, who)
            }
            Expected::Warning(rule, who) => self.passes(said).and_then(|()| reports(last, rule, who)),
            Expected::Refusal(rule, who) => {
                reports(last, rule, who)?;
                if last.is_done() { Err("it isn't refused".to_owned()) } else { Ok(()) }
            }
            Expected::Somehow(rule, who) => {
                let is_refused = said.iter().any(|it| !it.is_done() && it.tells(&[(*rule).to_owned(), who.clone()]));
                if is_refused { Ok(()) } else { self.is_told(bed, rule, who) }
            }
            Expected::Event(rule, who) => {
                let lines: Vec<String> = said.iter().flat_map(Said::lines).collect();
                if !lines.is_empty() {
                    return Err(format!("a review reports it, which can't see it: {lines:?}"));
                }
                self.is_told(bed, rule, who)
            }
        }
    }

    fn passes(&self, said: &[Said]) -> Result<(), String> {
        said.iter().find(|said| !said.is_done()).map_or(Ok(()), |said| Err(format!("refused: {said}")))
    }

    /// No word, but for these rules before the end of the step; and nothing is wrong.
    fn is_silent(&self, bed: &Bed, said: &[Said], but: &[&str]) -> Result<(), String> {
        let is_word = |line: &String| !but.iter().any(|rule| line.contains(rule));
        let words: Vec<String> = said.iter().flat_map(Said::lines).filter(is_word).collect();
        let figures = bed.figures();
        let wrong = figures.rules(&self.shop.name);
        let events: Vec<Event> = bed.events(&self.shop.name).into_iter().filter(|event| event.warns).collect();
        // One of what was wrong before this step may come late.
        let is_old = |event: &Event| {
            self.events.contains(&event.name) || self.wrong.iter().any(|rule| event.note.starts_with(rule))
        };
        let news = events.iter().filter(|event| !is_old(event) && is_word(&event.note));
        let news: Vec<&Event> = news.collect();
        let is_refused = said.iter().any(|said| !said.is_done());
        if words.is_empty() && wrong.is_empty() && news.is_empty() && !is_refused {
            return Ok(());
        }
        Err(format!("a false alarm: said {words:#?}, wrong now {wrong:?}, Events {news:#?}"))
    }

    /// The figures count it and an Event tells it.
    fn is_told(&self, bed: &Bed, rule: &str, who: &str) -> Result<(), String> {
        let namespace = &self.shop.name;
        if bed.figures().count(namespace, rule) == 0 {
            return Err(format!("no figure of {rule}: {:?}", bed.figures().rules(namespace)));
        }
        let deadline = Instant::now() + TOLD;
        loop {
            let events = bed.events(namespace);
            let told = |event: &Event| {
                let name = who.rsplit('/').next().unwrap_or(who);
                event.warns && event.note.starts_with(rule) && (event.note.contains(who) || event.about.ends_with(name))
            };
            if events.iter().any(told) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("no Event tells {rule} of {who}: {events:#?}"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// One line of the review has the rule, and whose problem it is.
fn reports(said: &Said, rule: &str, who: &str) -> Result<(), String> {
    let is_told = said.tells(&[rule.to_owned(), who.to_owned()]);
    if is_told { Ok(()) } else { Err(format!("its review doesn't report {rule} of {who}")) }
}
