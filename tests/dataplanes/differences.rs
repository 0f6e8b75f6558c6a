//! Where meshvet's severity differs on purpose from what was seen.

use crate::case::Case;
use crate::record::Controller;

/// The highest severity that meshvet reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Says {
    Nothing,
    Warns,
    Denies,
}

/// A difference: the case, what meshvet reports, and why.
pub(crate) struct Meant {
    controller: Controller,
    case: &'static str,
    pub(crate) says: Says,
    pub(crate) why: &'static str,
}

const fn meant(controller: Controller, case: &'static str, says: Says, why: &'static str) -> Meant {
    Meant { controller, case, says, why }
}

const FOLLOWS: &str = "what is missing may follow: an absent Secret, ConfigMap or grant never denies";
const FIRST: &str =
    "this istiod names an empty first certificate where the second alone is good: others serve the second";
const BLOCK: &str =
    "such a block leaves to the controller what to serve, and a class may get a certificate of its own one day";

const DATES: &str = "a backend's dates are said of the Secret where it is served, not of each policy";
const SEVERAL: &str = "Istio goes by the first reference alone, and of several nothing is claimed";
const BESIDE: &str =
    "a policy of another namespace is broken, and denied there; the Gateway that is asked has nothing to do with it";

const MEANT: &[Meant] = &[
    meant(Controller::Istio, "absent", Says::Warns, FOLLOWS),
    meant(Controller::Istio, "absent-beside", Says::Warns, FOLLOWS),
    meant(Controller::Istio, "elsewhere", Says::Warns, FOLLOWS),
    meant(Controller::Istio, "policy-absent", Says::Warns, FOLLOWS),
    meant(Controller::Istio, "clients-absent", Says::Warns, FOLLOWS),
    meant(Controller::Istio, "first-is-broken", Says::Warns, FIRST),
    meant(Controller::Istio, "policy-ended", Says::Warns, DATES),
    meant(Controller::Istio, "policy-second-fits", Says::Warns, SEVERAL),
    meant(Controller::Istio, "policy-nonsense-elsewhere", Says::Denies, BESIDE),
    meant(Controller::Contour, "absent", Says::Warns, FOLLOWS),
    meant(Controller::Contour, "gateway-absent", Says::Warns, FOLLOWS),
    meant(Controller::Contour, "gateway-elsewhere", Says::Warns, FOLLOWS),
    meant(Controller::Contour, "without-secret-name", Says::Warns, BLOCK),
    meant(Controller::Contour, "no-hosts", Says::Warns, BLOCK),
];

/// The difference that is listed for a case.
pub(crate) fn of(controller: Controller, case: &str) -> Option<&'static Meant> {
    MEANT.iter().find(|meant| meant.controller == controller && meant.case == case)
}

/// Each difference belongs to a case.
pub(crate) fn check(all: &[(Controller, &[Case])]) {
    for meant in MEANT {
        let known = all.iter().any(|(controller, cases)| {
            *controller == meant.controller && cases.iter().any(|case| case.name == meant.case)
        });
        assert!(known, "{:?} has no case {}", meant.controller, meant.case);
        assert!(meant.why.len() > 20, "{} says too little", meant.case);
    }
}
