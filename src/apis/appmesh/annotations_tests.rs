use proptest::prelude::*;

use super::*;

fn pairs(mounts: &Mounts) -> Vec<(&str, &str)> {
    mounts.mounts.iter().map(|mount| (mount.name.as_str(), mount.path.as_str())).collect()
}

fn messages(problems: &[AnnotationProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn reads(annotation: &str, expected: &[(&str, &str)]) {
    let mounts = parse_secret_mounts(annotation);
    assert_eq!(pairs(&mounts), expected, "{annotation:?}");
    assert_eq!(mounts.problems, [], "{annotation:?}");
    assert_eq!(parse_volume_mounts(annotation), mounts);
}

#[track_caller]
fn complains(annotation: &str, expected: &[(&str, &str)], message: &str) {
    let mounts = parse_secret_mounts(annotation);
    assert_eq!(pairs(&mounts), expected, "{annotation:?}");
    assert_eq!(messages(&mounts.problems), [message], "{annotation:?}");
}

#[test]
fn mounts_are_read_as_the_injector_reads_them() {
    reads("tls:/certs", &[("tls", "/certs")]);
    reads("tls:/certs,ca:/ca", &[("tls", "/certs"), ("ca", "/ca")]);
    reads(" tls : /certs ,\n\tca:/ca\u{a0}", &[("tls", "/certs"), ("ca", "/ca")]);
    reads("tls:/certs,tls:/certs", &[("tls", "/certs")]);
    reads("tls:/with space", &[("tls", "/with space")]);
    reads("a:/x,b:/x/y", &[("a", "/x"), ("b", "/x/y")]);
}

#[test]
fn what_makes_pods_be_refused_is_told() {
    let empty = "the annotation is empty: leave it out, or give it entries of the form name:/path";
    complains("", &[], empty);
    complains("  ", &[], empty);
    complains("tls", &[], r#""tls" is not of the form name:/path"#);
    complains("tls:/certs,", &[("tls", "/certs")], r#""" is not of the form name:/path"#);
    complains("tls:/certs:ro", &[], r#""tls:/certs:ro" is not of the form name:/path"#);
    complains("tls:/certs; ca:/ca,b:/b", &[("b", "/b")], r#""tls:/certs; ca:/ca" is not of the form name:/path"#);
    complains(":/certs", &[], r#"":/certs" has no name before its colon"#);
    complains("tls: ", &[], r#""tls:" has no path after its colon"#);
    complains(
        "tls:/certs,ca:/certs",
        &[("tls", "/certs"), ("ca", "/certs")],
        r#""tls" and "ca" are both mounted at /certs"#,
    );
}

#[test]
fn names_that_no_volume_can_have_are_told() {
    let instead = "make the Secret a volume of the pod, and name that in appmesh.k8s.aws/volumeMounts";
    let long = "a".repeat(64);
    for (name, reason) in [
        ("tls.example.com", "it has a dot"),
        (long.as_str(), "it is longer than 63 characters"),
        ("Tls", "it is not made of lower-case letters, digits and inner hyphens"),
        ("-tls", "it is not made of lower-case letters, digits and inner hyphens"),
    ] {
        let message = format!("{name:?} can't be the name of a volume ({reason}): {instead}");
        complains(&format!("{name}:/certs"), &[(name, "/certs")], &message);
    }
}

#[test]
fn what_mounts_something_else_is_told() {
    complains(
        "tls:/a,ca:/ca,tls:/b",
        &[("ca", "/ca"), ("tls", "/b")],
        r#""tls" is listed twice: only /b is mounted, not /a"#,
    );
    complains("tls:certs", &[("tls", "certs")], r#"the path "certs" of "tls" is relative: it is mounted at /certs"#);
}

#[test]
fn a_path_that_a_later_entry_gives_up_is_no_conflict() {
    let mounts = parse_secret_mounts("a:/x,b:/x,a:/y");
    assert_eq!(pairs(&mounts), [("b", "/x"), ("a", "/y")]);
    assert_eq!(messages(&mounts.problems), [r#""a" is listed twice: only /y is mounted, not /x"#]);
}

#[test]
fn conflicts_with_the_pods_volumes_are_told() {
    let secrets = parse_secret_mounts("tls:/certs,ca:/ca");
    let volumes = parse_volume_mounts("data:/data,ca:/ca2,gone:/gone,own:/certs");
    assert_eq!(
        messages(&conflicts(&secrets, &volumes, ["data", "tls", "own"])),
        [
            r#""tls" is the name of a volume that the pod already has: there would be two with that name"#,
            r#"the pod has no volume "gone""#,
            r#""tls" and "own" are both mounted at /certs"#,
        ]
    );
    assert_eq!(conflicts(&secrets, &Mounts::default(), ["data"]), []);
}

#[test]
fn problems_are_bounded() {
    let many = "x,".repeat(10_000);
    assert_eq!(parse_secret_mounts(&many).problems.len(), MAX_PROBLEMS);
}

proptest! {
    #[test]
    fn anything_is_read(annotation in "(?s).*") {
        let mounts = parse_secret_mounts(&annotation);
        // Whatever the injector would mount is reported or mounted.
        prop_assert!(!mounts.mounts.is_empty() || !mounts.problems.is_empty());
        for mount in &mounts.mounts {
            prop_assert!(!mount.name.is_empty() && !mount.path.is_empty());
        }
    }

    #[test]
    fn entries_are_read_in_any_mixture(annotation in "[ab:/, .]{0,40}") {
        let mounts = parse_secret_mounts(&annotation);
        let malformed = annotation.split(',').any(|entry| entry.matches(':').count() != 1);
        let told = mounts.problems.iter().any(|problem| {
            matches!(problem, AnnotationProblem::Malformed { .. } | AnnotationProblem::Empty)
        });
        prop_assert_eq!(malformed, told);
    }

    #[test]
    fn sound_lists_come_back_as_written(
        names in proptest::collection::btree_set("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", 1..8),
        space in "[ \t]{0,2}",
    ) {
        let expected: Vec<_> = names.iter().map(|name| (name.clone(), format!("/certs/{name}"))).collect();
        let written: Vec<_> = expected.iter().map(|(name, path)| format!("{space}{name}{space}:{space}{path}{space}")).collect();
        let mounts = parse_secret_mounts(&written.join(","));
        prop_assert_eq!(mounts.problems, []);
        let read: Vec<_> = mounts.mounts.into_iter().map(|mount| (mount.name, mount.path)).collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn slashes_and_commas_are_mended_and_nothing_else() {
    let mended = |annotation: &str| {
        let mut all = parse_secret_mounts(annotation).problems.into_iter().map(|it| it.mended(annotation));
        let first = all.next().expect("a problem");
        assert!(all.all(|other| other == first), "one mending for all");
        first
    };
    assert_eq!(mended("a:certs, b: keys").as_deref(), Some("a:/certs, b: /keys"));
    assert_eq!(mended("a:/certs,").as_deref(), Some("a:/certs"));
    assert_eq!(mended("a:/certs,,b:/keys").as_deref(), Some("a:/certs,b:/keys"));
    for person in ["", ",", "a", "a:", ":/b", "a:/b,a:/c", "a:/x,b:/x"] {
        assert_eq!(mended(person), None, "{person:?}");
    }
}
