//! Where meshvet means to say something else than what was seen asks for.

use crate::case::Case;
use crate::record::Controller;

/// The worst that meshvet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Says {
    Nothing,
    Warns,
    Denies,
}

/// A difference: of which case, what meshvet says, and why.
pub(crate) struct Meant {
    controller: Controller,
    case: &'static str,
    pub(crate) says: Says,
    pub(crate) why: &'static str,
}

const fn meant(controller: Controller, case: &'static str, says: Says, why: &'static str) -> Meant {
    Meant { controller, case, says, why }
}

const MEANT: &[Meant] =
    &[meant(Controller::Contour, "absent", Says::Warns, "an absent Secret may follow, and never denies")];

/// The difference that a case is listed with.
pub(crate) fn of(controller: Controller, case: &str) -> Option<&'static Meant> {
    MEANT.iter().find(|meant| meant.controller == controller && meant.case == case)
}

/// Each difference is of a case.
pub(crate) fn check(all: &[(Controller, &[Case])]) {
    for meant in MEANT {
        let known = all.iter().any(|(controller, cases)| {
            *controller == meant.controller && cases.iter().any(|case| case.name == meant.case)
        });
        assert!(known, "{:?} has no case {}", meant.controller, meant.case);
        assert!(meant.why.len() > 20, "{} says too little", meant.case);
    }
}
