//! The ways of deploy/README.md to give meshvet a certificate, as they stand there.

use crate::control_plane::ControlPlane;
use crate::install::follow_readme;
use crate::world::plane;

tests![the_readmes_check_says_that_it_judges, nothing_is_blocked_before_there_is_a_certificate,];

fn the_readmes_check_says_that_it_judges() {
    follow_readme(plane(), "verify").refused(&["MV004 not-exactly-one-source"]);
}

fn nothing_is_blocked_before_there_is_a_certificate() {
    let plane = ControlPlane::start("half-installed");
    crate::world::install_crds(&plane);
    follow_readme(&plane, "install").succeeds_silently();
    follow_readme(&plane, "cert-manager").succeeds_silently();
    follow_readme(&plane, "verify").succeeds();
}
