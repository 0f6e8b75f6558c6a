//! Gateway API and Ingress on a real API server that has the standard CustomResourceDefinitions and none of App Mesh's, with the chart's
//! own configuration.

mod backends;
mod bed;
mod hosts;
mod ingresses;
mod kinds;
mod objects;
mod order;
mod pages;
mod references;
mod told;

use crate::Test;

/// The tests, by theme.
pub(crate) const SUITE: &[(&str, &[Test])] = &[
    ("gateway_api::order", order::TESTS),
    ("gateway_api::hosts", hosts::TESTS),
    ("gateway_api::references", references::TESTS),
    ("gateway_api::backends", backends::TESTS),
    ("gateway_api::ingresses", ingresses::TESTS),
    ("gateway_api::kinds", kinds::TESTS),
    ("gateway_api::told", told::TESTS),
    ("gateway_api::pages", pages::TESTS),
];
