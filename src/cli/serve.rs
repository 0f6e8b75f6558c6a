//! The arguments of `meshvet serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use arc_swap::ArcSwap;
use clap::builder::PossibleValuesParser;

use crate::admission::certificate::serving::CertificateFiles;
use crate::admission::paths::{Door, PathComponent};
use crate::apis::{self, Vetted};
use crate::cli::aws::AwsArgs;
use crate::cli::connection::ConnectArgs;
use crate::cli::duration::duration;
use crate::cli::logging::Logging;
use crate::cli::managed::ManagedArgs;
use crate::cli::overload::OverloadArgs;
use crate::cli::secrets::SecretArgs;
use crate::cli::self_check::SelfCheckArgs;
use crate::cli::traces::TraceArgs;
use crate::cli::watching::WatchArgs;
use crate::operate::log::LogLevel;
use crate::policy::Policy;
use crate::serve::{CertificateSource, ServeOptions, policy, serve};

const EXAMPLES: &str = "\
Examples:
  meshvet serve --tls-cert /tls/tls.crt --tls-key /tls/tls.key --config /etc/meshvet/policy.yaml
  meshvet serve --managed-certificate meshvet-certificate --service meshvet-system/meshvet
                                                          replicas that keep their certificate by themselves
  meshvet serve --managed-certificate meshvet-certificate --webhook-configuration meshvet --authority-life 8760h
  meshvet serve --managed-certificate meshvet-certificate --certificate-life 24h
  meshvet serve --self-signed --dns-name meshvet.meshvet-system.svc --ca-bundle-file /tmp/ca.pem
                                                          a single replica, without cert-manager
  meshvet serve --self-signed --kubeconfig ~/.kube/config --context dev --listen 127.0.0.1:0
                                                          outside the cluster, on a free port
  meshvet serve --tls-cert /tls/tls.crt --tls-key /tls/tls.key --client-ca /callers/ca.crt
                                                          only API servers that have such a certificate get answers
  meshvet serve --self-signed --path-secret 5f1c09d27ab34e6688d0c4e51b7fa392
                                                          reviews come to /validate/5f1c… alone
  meshvet serve --self-signed --secrets none              where meshvet may read no Secret
  meshvet serve --self-signed --secret-namespaces shop,till
                                                          where it may read Secrets of these namespaces alone
  meshvet serve --self-signed --apis gateway              other APIs aren't watched or checked
  meshvet serve --self-signed --probe-listen 0.0.0.0:9090 --drain-grace 15s
  meshvet serve --self-signed --overload refuse --max-reviews 64
                                                          with failurePolicy Fail: nothing passes unjudged
  meshvet serve --self-signed --self-check 15m            compare what is known with the cluster, now and then
  meshvet serve --self-signed --report                    the mesh as a page, at the probe port
  meshvet serve --self-signed --events --watcher-lease meshvet-system/meshvet-watcher
                                                          Events on mesh objects for as long as they have problems
  meshvet serve --self-signed --events --open-reports     the same as Reports of openreports.io too
  meshvet serve --self-signed --aws                       with what AWS says of ACM certificates
  meshvet serve --self-signed --otlp-endpoint http://collector.monitoring:4318
                                                          a span for each review
  meshvet serve --self-signed --log-level info,kube=debug --log-format json

In a cluster: charts/meshvet installs it by helm, and deploy/ has the same as plain manifests.";

/// Serve the admission webhook.
///
/// Watches the cluster, and answers the API server's admission reviews on POST /validate. Stops on SIGTERM or SIGINT: it is no
/// longer ready, serves for the grace period, then finishes the requests in flight.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// Where to serve reviews, over TLS. Port 0 takes a free port; the log has its number.
    #[arg(long, env = "MESHVET_LISTEN", value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,

    /// Where to serve /livez, /readyz and /metrics, over plain HTTP.
    #[arg(long, env = "MESHVET_PROBE_LISTEN", value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8081")]
    probe_listen: SocketAddr,

    /// The serving certificate and its chain, in PEM. Read again when it changes.
    #[arg(
        long,
        env = "MESHVET_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with_all = ["self_signed", "managed_certificate"]
    )]
    tls_cert: Option<PathBuf>,

    /// The serving certificate's private key, in PEM.
    #[arg(long, env = "MESHVET_TLS_KEY", value_name = "FILE", requires = "tls_cert", conflicts_with = "self_signed")]
    tls_key: Option<PathBuf>,

    /// Issue a serving certificate at each start, and log the matching caBundle: for a single replica.
    #[arg(long, env = "MESHVET_SELF_SIGNED", conflicts_with = "managed_certificate")]
    self_signed: bool,

    #[command(flatten)]
    managed: ManagedArgs,

    /// A name that the self-signed certificate is valid for: the one that the API server calls. Can be given several times.
    #[arg(
        long = "dns-name",
        env = "MESHVET_DNS_NAME",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "meshvet.meshvet-system.svc",
        conflicts_with = "tls_cert"
    )]
    dns_names: Vec<String>,

    /// Write the certificate authority of the self-signed certificate to this file, in PEM.
    #[arg(long, env = "MESHVET_CA_BUNDLE_FILE", value_name = "FILE", requires = "self_signed")]
    ca_bundle_file: Option<PathBuf>,

    /// Answer only clients with a certificate of an authority in this file (PEM), for API servers that authenticate themselves. Read
    /// again when it changes.
    #[arg(long, env = "MESHVET_CLIENT_CA", value_name = "FILE")]
    client_ca: Option<PathBuf>,

    /// Take reviews at paths with this component added (/validate/SECRET), and nowhere else. Give it by the variable: others see
    /// arguments. A managed certificate comes with paths of its own.
    #[arg(
        long,
        env = "MESHVET_PATH_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        conflicts_with = "managed_certificate",
        value_parser = component
    )]
    path_secret: Option<PathComponent>,

    #[command(flatten)]
    secrets: SecretArgs,

    /// Check these APIs only: the others aren't watched. By default: all that the cluster has.
    #[arg(
        long,
        env = "MESHVET_APIS",
        value_name = "API",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(apis::mesh_apis().map(|(api, _)| api.folder))
    )]
    apis: Vec<String>,

    /// The policy, in YAML. Read again when it changes.
    #[arg(long, env = "MESHVET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    connection: ConnectArgs,

    /// How long to keep serving after SIGTERM, no longer ready, until every API server has noticed.
    #[arg(long, env = "MESHVET_DRAIN_GRACE", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    drain_grace: Duration,

    /// Serve a report of the whole mesh at / of the probes' address: who calls whom, and whether TLS works there. It holds no
    /// secret, but everyone who reaches that address can read names, issuers and dates.
    #[arg(long, env = "MESHVET_REPORT")]
    report: bool,

    #[command(flatten)]
    overload: OverloadArgs,

    #[command(flatten)]
    self_check: SelfCheckArgs,

    #[command(flatten)]
    watching: WatchArgs,

    #[command(flatten)]
    aws: AwsArgs,

    #[command(flatten)]
    traces: TraceArgs,

    #[command(flatten)]
    logging: Logging,
}

fn component(text: &str) -> Result<PathComponent, String> {
    PathComponent::of(text).ok_or_else(|| "22 to 128 letters, digits, - and _ are needed".to_owned())
}

impl ServeArgs {
    /// Serves until a signal ends it.
    ///
    /// # Errors
    /// When it can't start: a policy, a certificate, a cluster or an address that can't be used.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if self.tls_cert.is_none() && !self.self_signed && !self.managed.is_asked_for() {
            bail!(
                "serve needs a serving certificate: --self-signed issues one at each start, --managed-certificate SECRET manages one \
                 for several replicas, --tls-cert FILE and --tls-key FILE name yours\n  what to do: meshvet serve --self-signed"
            );
        }
        // Dropped last: what ends with the runtime may still have something to say.
        let (mut level, _flush);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (traces, listener) = self.traces.start(runtime.handle())?;
        (level, _flush) = self.logging.start(listener)?;
        let policy = policy::adopt(self.config.as_deref())?;
        level.follow(policy.log_level());
        let outcome = runtime.block_on(async { Ok(serve(self.options(policy, level)?).await?) });
        traces.end();
        outcome.map(|()| ExitCode::SUCCESS)
    }

    /// What to serve by, as the arguments say.
    fn options(self, policy: Policy, level: LogLevel) -> anyhow::Result<ServeOptions> {
        let policy = Arc::new(ArcSwap::from_pointee(policy));
        Ok(ServeOptions {
            listen: self.listen,
            probe_listen: self.probe_listen,
            door: self.path_secret.clone().map_or(Door::Plain, Door::Fixed),
            client_ca: self.client_ca.clone(),
            access: self.secrets.access(),
            scope: self.secrets.scope()?,
            apis: Vetted::of(self.apis.iter().map(String::as_str)),
            connection: self.connection.options(),
            drain_grace: self.drain_grace,
            report: self.report,
            overload: self.overload.bounds(),
            self_check: self.self_check.every(),
            telling: self.watching.options(),
            certificate: self.certificate()?,
            aws: self.aws.reader(&policy)?,
            policy_file: self.config,
            policy,
            level,
        })
    }

    fn certificate(&self) -> anyhow::Result<CertificateSource> {
        if let (Some(chain), Some(key)) = (&self.tls_cert, &self.tls_key) {
            return Ok(CertificateSource::Files(CertificateFiles { chain: chain.clone(), key: key.clone() }));
        }
        Ok(match self.managed.options()? {
            Some(managed) => CertificateSource::Managed(managed),
            None => CertificateSource::SelfIssued {
                dns_names: self.dns_names.clone(),
                ca_bundle_file: self.ca_bundle_file.clone(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::admission::overload::{OnOverload, Overload};
    use crate::mesh::SecretAccess;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn parse(arguments: &[&str]) -> Result<ServeArgs, String> {
        let program = Program::try_parse_from([&["meshvet"], arguments].concat());
        program.map(|program| program.serve).map_err(|error| error.to_string())
    }

    #[test]
    fn it_needs_a_certificate_from_somewhere() {
        let error = parse(&[]).expect("arguments").run().expect_err("no certificate").to_string();
        for option in ["meshvet serve --self-signed", "--tls-cert FILE", "--tls-key FILE", "--managed-certificate"] {
            assert!(error.contains(option), "{error}");
        }
        let error = parse(&["--tls-cert", "a"]).expect_err("no key");
        assert!(error.contains("--tls-key"), "{error}");
        parse(&["--tls-cert", "a", "--tls-key", "b", "--self-signed"]).expect_err("both");
        parse(&["--tls-cert", "a", "--tls-key", "b"]).expect("files");
        let args = parse(&["--self-signed"]).expect("self-signed");
        assert_eq!(args.dns_names, ["meshvet.meshvet-system.svc"]);
    }

    fn options(arguments: &[&str]) -> ServeOptions {
        let args = parse(arguments).expect("arguments");
        args.options(Policy::default(), LogLevel::unused()).expect("options")
    }

    #[test]
    fn the_certificate_comes_from_where_the_arguments_say() {
        let source = |arguments: &[&str]| options(arguments).certificate;
        let files = source(&["--tls-cert=a", "--tls-key=b"]);
        let CertificateSource::Files(files) = files else { panic!("{files:?}") };
        assert_eq!((files.chain, files.key), (PathBuf::from("a"), PathBuf::from("b")));
        let issued = source(&["--self-signed", "--dns-name=a.svc", "--ca-bundle-file=ca.pem"]);
        let CertificateSource::SelfIssued { dns_names, ca_bundle_file } = issued else { panic!("{issued:?}") };
        assert_eq!((dns_names, ca_bundle_file), (vec!["a.svc".to_owned()], Some(PathBuf::from("ca.pem"))));
        let managed = source(&["--managed-certificate=authority"]);
        let CertificateSource::Managed(managed) = managed else { panic!("{managed:?}") };
        assert_eq!(managed.secret, "authority");
    }

    #[test]
    fn options_are_what_the_arguments_say() {
        let usual = options(&["--self-signed"]);
        assert_eq!((usual.self_check, usual.report), (Some(Duration::from_secs(3600)), false));
        assert!(usual.policy_file.is_none() && !usual.aws.asks() && usual.telling.is_none());
        let telling = options(&["--self-signed", "--events", "--watcher-lease=mesh/watch"]).telling.expect("Events");
        assert_eq!((telling.namespace.as_str(), telling.lease.as_str()), ("mesh", "watch"));
        let other =
            options(&["--self-signed", "--self-check=0", "--report", "--config=a.yaml", "--listen=127.0.0.1:9"]);
        assert_eq!((other.self_check, other.report), (None, true));
        assert_eq!((other.policy_file, other.listen.port()), (Some(PathBuf::from("a.yaml")), 9));
    }

    #[test]
    fn arguments_read_as_the_deployment_gives_them() {
        let args = parse(&[
            "--self-signed",
            "--dns-name=a.svc",
            "--dns-name=b.svc",
            "--secrets=get",
            "--drain-grace=1m30s",
            "--listen=127.0.0.1:0",
            "--log-format=json",
            "--log-level=debug",
        ])
        .expect("arguments");
        assert_eq!(args.dns_names, ["a.svc", "b.svc"]);
        assert_eq!(args.secrets.access(), SecretAccess::OnDemand);
        assert_eq!(args.drain_grace, Duration::from_secs(90));
        parse(&["--self-signed", "--drain-grace=soon"]).expect_err("no duration");
    }

    #[test]
    fn what_is_taken_on_at_a_time_is_told() {
        let bounds = |more: &[&str]| parse(&[&["--self-signed"], more].concat()).map(|args| args.overload.bounds());
        assert_eq!(bounds(&[]), Ok(Overload::default()));
        let told = bounds(&["--overload=refuse", "--max-reviews=7"]).expect("bounds");
        assert_eq!((told.answer, told.reviews), (OnOverload::Refuse, 7));
        bounds(&["--max-reviews=0"]).expect_err("none at all");
    }

    #[test]
    fn a_managed_certificate_names_what_it_keeps() {
        let args = parse(&[
            "--managed-certificate=authority",
            "--service=mesh/vet",
            "--certificate-life=9h",
            "--authority-life=48h",
        ]);
        let options = args.expect("managed").managed.options().expect("options").expect("managed");
        assert_eq!((options.namespace.as_str(), options.service.as_str()), ("mesh", "vet"));
        assert_eq!((options.secret.as_str(), options.webhook_configuration.as_str()), ("authority", "meshvet"));
        assert_eq!(options.authority_life, Duration::from_secs(48 * 3600));
        let managed = |more: &[&str]| parse(&[&["--managed-certificate=authority"], more].concat());
        managed(&["--self-signed"]).expect_err("both");
        managed(&["--tls-cert=a", "--tls-key=b"]).expect_err("both");
        managed(&["--service=vet"]).expect_err("no namespace");
        let refused = |more: &[&str]| managed(more).expect("arguments").managed.options().expect_err("too short");
        for more in [["--certificate-life=1s", "--authority-life=1h"], ["--certificate-life=1h", "--authority-life=2h"]]
        {
            let error = refused(&more).to_string();
            assert!(error.contains("-life"), "{error}");
        }
        assert!(parse(&["--self-signed"]).expect("self-signed").managed.options().expect("none").is_none());
    }
}
