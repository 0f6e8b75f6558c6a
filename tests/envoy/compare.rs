//! What was said of pairings against what came of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use meshvet::finding::Severity;

use crate::calls::Named;
use crate::differences::{self, Level};
use crate::manifests::{Said, said};
use crate::pairing::{Comes, OF_FIRST, OF_SECOND, Pairing, Place};
use crate::predict::{Prediction, contains, is_predicted, predict};
use crate::proxies::{Outcome, Proxies};

/// A pairing with what was said of it and what came of it.
pub(crate) struct Compared {
    pub(crate) pairing: Pairing,
    calls: Vec<Call>,
    /// `None`: it can't be written as manifests.
    said: Option<Vec<Said>>,
}

/// One call of a pairing.
struct Call {
    /// `None`: the files aren't to say it.
    prediction: Option<Prediction>,
    outcome: Outcome,
}

impl Call {
    fn works(&self) -> bool {
        self.outcome == Outcome::Works
    }

    fn prediction_holds(&self) -> Result<(), String> {
        match &self.prediction {
            Some(prediction) if !prediction.holds(&self.outcome) => {
                Err(format!("of the files it was said: {prediction:#?}\nbut Envoy: {:#?}", self.outcome))
            }
            _ => Ok(()),
        }
    }

    fn logs(&self) -> Vec<&str> {
        match &self.outcome {
            Outcome::Works => Vec::new(),
            Outcome::Fails { client, server } => vec![client.as_str(), server.as_deref().unwrap_or_default()],
            Outcome::Refused { log, .. } => vec![log.as_str()],
        }
    }
}

pub(crate) fn compare(proxies: &Proxies, pairings: Vec<Pairing>) -> Vec<Compared> {
    let calls: Vec<Vec<Pairing>> = pairings.iter().map(Pairing::calls).collect();
    let mut outcomes = proxies.run(&calls.concat()).into_iter();
    let now = Timestamp::now();
    let compared = pairings.into_iter().zip(calls).map(|(pairing, calls)| {
        let calls = calls
            .iter()
            .zip(outcomes.by_ref())
            .map(|(call, outcome)| Call { prediction: is_predicted(call).then(|| predict(call, now)), outcome });
        Compared { calls: calls.collect(), said: said(&pairing, now), pairing }
    });
    compared.collect()
}

impl Compared {
    /// Whether all agree with Envoy, or are known not to.
    pub(crate) fn agree(&self) -> Result<(), String> {
        self.recorded()?;
        for (level, held) in [(Level::Certificates, self.predictions_hold()), (Level::Rules, self.rules_hold())] {
            match (held, differences::reason(&self.pairing.name, level)) {
                (Ok(()), None) | (Err(_), Some(_)) => {}
                (Err(error), None) => return Err(error),
                (Ok(()), Some(reason)) => {
                    return Err(format!("a known difference has gone away ({reason}): take it off the list"));
                }
            }
        }
        self.severities_hold()
    }

    /// Whether what is recorded comes.
    fn recorded(&self) -> Result<(), String> {
        let recorded = &self.pairing.comes;
        if recorded.is_empty() {
            return Ok(());
        }
        let same = |(comes, call): (&Comes, &Call)| match (comes, &call.outcome) {
            (Comes::Works, Outcome::Works) => true,
            (Comes::Fails(text), Outcome::Fails { client, .. }) => contains(client, text),
            (Comes::Refused(by, text), Outcome::Refused { by: by_really, log }) => {
                by == by_really && contains(log, text)
            }
            _ => false,
        };
        if recorded.len() == self.calls.len() && recorded.iter().zip(&self.calls).all(same) {
            return Ok(());
        }
        Err(format!("recorded is: {recorded:#?}\nbut Envoy: {:#?}", self.outcomes()))
    }

    fn outcomes(&self) -> Vec<&Outcome> {
        self.calls.iter().map(|call| &call.outcome).collect()
    }

    fn predictions_hold(&self) -> Result<(), String> {
        self.calls.iter().try_for_each(Call::prediction_holds)
    }

    /// The calls that the client may mean.
    fn meant(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().enumerate().filter(|(number, _)| self.pairing.may_mean(*number)).map(|(_, call)| call)
    }

    /// Whether some call that the client may mean gets through.
    fn works(&self) -> bool {
        self.meant().any(Call::works)
    }

    /// Whether what is denied works. What a listener has, and a call to one that is called for certain, is denied falsely
    /// when the call to that listener gets through; a call that may mean either, when any does.
    fn is_false(&self, said: &Said) -> bool {
        match said.listener {
            None => self.client_works(),
            // Nobody is known to call that listener: nothing shows what it is worth.
            Some(number) if !self.pairing.may_mean(number) => false,
            Some(_) if said.of_call && self.pairing.called() == Named::Neither => self.works(),
            Some(number) => self.calls.get(number).is_some_and(Call::works),
        }
    }

    /// Whether what the client has works, in the calls for which it has it: in each that is made, in any that may be.
    fn client_works(&self) -> bool {
        let by_policy =
            |(number, _): &(usize, &Call)| self.pairing.may_mean(*number) && self.pairing.has_policy(*number);
        let mut calls = self.calls.iter().enumerate().filter(by_policy).map(|(_, call)| call).peekable();
        match self.pairing.called() {
            _ if calls.peek().is_none() => self.works(),
            Named::Both => calls.all(Call::works),
            Named::Neither | Named::First | Named::Second => calls.any(Call::works),
        }
    }

    fn denials(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().flatten().filter(|said| said.denies())
    }

    /// The denials that are about a call which the client may mean.
    fn denials_of_meant(&self) -> impl Iterator<Item = &Said> {
        self.denials().filter(|said| said.listener.is_none_or(|number| self.pairing.may_mean(number)))
    }

    fn false_denials(&self) -> impl Iterator<Item = &Said> {
        self.denials().filter(|said| self.is_false(said))
    }

    fn has_false_denial(&self) -> bool {
        self.false_denials().next().is_some()
    }

    /// Whether a call fails for certain, and nothing denies it.
    fn is_missed(&self) -> bool {
        if self.said.is_none() {
            return false;
        }
        if self.pairing.called() != Named::Both {
            return !self.works() && self.denials_of_meant().next().is_none();
        }
        let is_missed = |(number, call): (usize, &Call)| {
            !call.works() && !self.denials().any(|said| said.listener.is_none_or(|listener| listener == number))
        };
        self.calls.iter().enumerate().any(is_missed)
    }

    /// Whether something denies exactly when it doesn't work, and some denial quotes what Envoy says.
    fn rules_hold(&self) -> Result<(), String> {
        if self.said.is_none() {
            return Ok(());
        }
        let wrong = |what: &str| Err(format!("{what}\nsaid: {:#?}\nEnvoy: {:#?}", self.said, self.outcomes()));
        let codes: Vec<&str> = self.false_denials().map(|said| said.code).collect();
        if !codes.is_empty() {
            return wrong(&format!("what works is denied by {}", codes.join(", ")));
        }
        if self.is_missed() {
            return wrong("what fails isn't denied");
        }
        if self.works() || self.is_quoted() { Ok(()) } else { wrong("no denial quotes Envoy") }
    }

    /// Whether some denial quotes what Envoy says.
    fn is_quoted(&self) -> bool {
        let quotes = |denial: &Said| {
            // A call by itself has no second listener.
            let files = OF_SECOND.into_iter().zip(OF_FIRST);
            let quote = files.fold(denial.quote.clone(), |quote, (second, first)| quote.replace(second, first));
            let mut logs = self.calls.iter().flat_map(Call::logs);
            !quote.is_empty() && logs.any(|log| contains(log, &quote))
        };
        self.denials_of_meant().any(quotes)
    }

    /// Whether the rules that the pairing names are as severe as it says.
    fn severities_hold(&self) -> Result<(), String> {
        for &(code, expected) in &self.pairing.says {
            let of_rule = self.said.iter().flatten().filter(|said| said.code == code);
            let severity = of_rule.map(|said| said.severity).max().unwrap_or(Severity::Off);
            if severity != expected {
                return Err(format!("{code} is to be {expected}, and is {severity}: {:#?}", self.said));
            }
        }
        Ok(())
    }

    /// What is wrong with a random pairing: the files' prediction is to hold unless nothing is claimed, the rules may
    /// never deny what works, and what they miss has a reason.
    pub(crate) fn random_failure(&self) -> Option<String> {
        let claimed = |call: &&Call| !matches!(call.prediction, Some(Prediction::Unknown(_)));
        let wrong = self.calls.iter().filter(claimed).find_map(|call| call.prediction_holds().err());
        let ruled = self.has_false_denial() || self.miss() == Some(Miss::Silent);
        let error = wrong.or(ruled.then(|| self.rules_hold().err()).flatten())?;
        let files: Vec<String> = self
            .pairing
            .files()
            .into_iter()
            .filter(|(file, _)| !file.ends_with("key"))
            .map(|(file, content)| {
                format!("{file}:\n{}", String::from_utf8_lossy(content.as_deref().unwrap_or_default()))
            })
            .collect();
        Some(format!("{}: {error}\n{}\n{}", self.pairing.name, self.pairing.shape(), files.join("\n")))
    }

    /// Why nothing denies what fails, if so.
    fn miss(&self) -> Option<Miss> {
        if !self.is_missed() {
            return None;
        }
        if self.pairing.place != Place::Listener {
            return Some(Miss::Unseen);
        }
        let by_policy = (0..self.calls.len()).all(|call| !self.pairing.may_mean(call) || self.pairing.has_policy(call));
        if !by_policy {
            return Some(Miss::OtherPort);
        }
        let warned = self.said.iter().flatten().find(|said| ["MV102", "MV215", "MV304"].contains(&said.code));
        Some(warned.map_or(Miss::Silent, |said| Miss::Warned(said.code)))
    }
}

/// Why nothing denies what fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Miss {
    /// The server's files aren't the mesh's.
    Unseen,
    /// The client's policy is for another port: what of it counts all the same, nobody says.
    OtherPort,
    /// This rule warns, as it is meant to: another client may get through.
    Warned(&'static str),
    /// There is no reason.
    Silent,
}

/// How often what is said is what comes: for the files, and for the manifests.
pub(crate) fn rates(all: &[Compared]) -> String {
    let calls: Vec<&Call> = all.iter().flat_map(|one| &one.calls).collect();
    let working = calls.iter().filter(|call| call.works()).count();
    let predicted: Vec<(&Prediction, &Outcome)> =
        calls.iter().filter_map(|call| Some((call.prediction.as_ref()?, &call.outcome))).collect();
    let unknown = predicted.iter().filter(|(prediction, _)| matches!(prediction, Prediction::Unknown(_))).count();
    let exact = predicted.iter().filter(|(prediction, outcome)| prediction.holds(outcome)).count();
    let written: Vec<&Compared> = all.iter().filter(|one| one.said.is_some()).collect();
    let works = written.iter().filter(|one| one.works()).count();
    let false_denials = written.iter().filter(|one| one.has_false_denial()).count();
    let is_unquoted = |one: &&&Compared| !one.works() && one.miss().is_none() && !one.is_quoted();
    let unquoted: Vec<&&Compared> = written.iter().filter(is_unquoted).collect();
    let mut missed: BTreeMap<Miss, usize> = BTreeMap::new();
    for miss in written.iter().filter_map(|one| one.miss()) {
        *missed.entry(miss).or_default() += 1;
    }
    let mut out = format!(
        "{} pairs, {} calls: {working} work, {} fail\n\
         files: {exact} as Envoy says of {}, text included; {unknown} not claimed\n\
         manifests: {false_denials} false denials among {} meshes, {works} of which work; {} of {} that fail are missed: {missed:?}; \
         of {} the denials quote nothing that Envoy says",
        all.len(),
        calls.len(),
        calls.len() - working,
        predicted.len(),
        written.len(),
        missed.values().sum::<usize>(),
        written.len() - works,
        unquoted.len(),
    );
    for one in written.iter().filter(|one| one.miss() == Some(Miss::Silent)).take(10) {
        out +=
            &format!("\n  missed: {}, {}: {:?} {:?}", one.pairing.name, one.pairing.shape(), one.outcomes(), one.said);
    }
    for one in unquoted.iter().take(10) {
        out += &format!(
            "\n  unquoted: {}, {}: {:?} {:?}",
            one.pairing.name,
            one.pairing.shape(),
            one.outcomes(),
            one.said
        );
    }
    let mut kinds: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for one in &written {
        let [all, working] = kinds.entry(one.pairing.shape()).or_default();
        *all += 1;
        *working += usize::from(one.works());
    }
    for (shape, [all, working]) in kinds {
        out += &format!("\n  {shape}: {all}, {working} of which work");
    }
    out
}
