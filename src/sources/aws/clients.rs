//! Clients of AWS: one for each account and Region, over one HTTP client, held back to a rate.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::OnceCell;

use crate::aws::{AccountRole, Arn, Call, CallOutcome, CallStats};
use crate::sources::aws::Pace;
use crate::sources::aws::failure::Trouble;
use crate::sources::aws::signed::{Answered, Plain, Sender};

/// How long it takes at most to reach AWS.
const CONNECT: Duration = Duration::from_secs(2);
/// How long one try of a call may take.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long a call may take with all its tries.
const OPERATION: Duration = Duration::from_secs(15);
/// How many tries a call has.
const ATTEMPTS: u32 = 4;
/// The pause after the first try; each one after it is about twice as long.
const BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// Quotas that are kept track of, before those that nobody uses are forgotten: objects may name any Region.
const MOST_QUOTAS: usize = 1_024;

/// Whose quota a call counts for: service, who asks, Region.
type Quotas = DefaultKeyedRateLimiter<(&'static str, String, String)>;

/// Where AWS is, and who asks there, in place of what the environment says.
#[derive(Clone, Debug)]
pub struct Station {
    /// The address of all services.
    pub endpoint_url: String,
    /// The Region that this is taken to run in.
    pub region: String,
    /// Who asks.
    pub credentials: SharedCredentialsProvider,
}

/// Which role to take on for what belongs to an account; None to ask as meshvet itself. Asked at each use: what it says may change.
pub type Roles = Arc<dyn Fn(&str) -> Option<AccountRole> + Send + Sync>;

/// Makes clients, and lets no more calls through than the [`Pace`] says.
pub(super) struct Clients {
    http: SharedHttpClient,
    roles: Roles,
    station: Option<Station>,
    /// As the environment says. Made at the first question.
    base: OnceCell<SdkConfig>,
    /// With the role of another account.
    others: Mutex<HashMap<AccountRole, Arc<OnceCell<SdkConfig>>>>,
    quotas: Quotas,
    sender: Sender,
    stats: CallStats,
}

impl Clients {
    pub(super) fn new(station: Option<Station>, roles: Roles, pace: Pace) -> Self {
        let one = NonZeroU32::MIN;
        let quota = Quota::per_second(NonZeroU32::new(pace.per_second).unwrap_or(one))
            .allow_burst(NonZeroU32::new(pace.burst).unwrap_or(one));
        let provider = tls::Provider::Rustls(CryptoMode::Ring);
        Self {
            http: Builder::new().tls_provider(provider).build_https(),
            roles,
            station,
            base: OnceCell::new(),
            others: Mutex::default(),
            quotas: RateLimiter::keyed(quota),
            sender: Sender::new(),
            stats: CallStats::default(),
        }
    }

    /// How calls have gone so far.
    pub(super) fn stats(&self) -> CallStats {
        self.stats.clone()
    }

    /// Counts a call, and hands its outcome on.
    pub(super) fn counted<T>(&self, call: Call, outcome: Result<T, Trouble>) -> Result<T, Trouble> {
        let counted = outcome.as_ref().err().map_or(CallOutcome::Answered, CallOutcome::from);
        self.stats.count(call, counted);
        outcome
    }

    /// Waits until one more call fits into the quota.
    pub(super) async fn turn(&self, call: Call, account: &str, region: &str) {
        if self.quotas.len() > MOST_QUOTAS {
            self.quotas.retain_recent();
        }
        let asker = (self.roles)(account).map(|role| role.arn).unwrap_or_default();
        self.quotas.until_key_ready(&(call.service(), asker, region.to_owned())).await;
    }

    /// The Region that the environment or the profile names. Machines are not asked for their own (no metadata look-up).
    pub(super) async fn region(&self) -> Option<Region> {
        if let Some(station) = &self.station {
            return Some(Region::new(station.region.clone()));
        }
        let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::default());
        chain.region().await
    }

    /// How to ask for what an ARN names: as the role for its account, else as meshvet itself.
    pub(super) async fn for_arn(&self, arn: &Arn) -> SdkConfig {
        self.for_account(&arn.account, &arn.region).await
    }

    /// The same for any account and Region.
    pub(super) async fn for_account(&self, account: &str, region: &str) -> SdkConfig {
        let region = Region::new(region.to_owned());
        let config = match (self.roles)(account) {
            None => self.base().await.clone(),
            Some(role) => self.other(&role, &region).await,
        };
        config.into_builder().region(region).build()
    }

    /// Makes a call for which there is no client. `AWS_ENDPOINT_URL` and the service's own (`AWS_ENDPOINT_URL_IAM`) hold for it too.
    pub(super) async fn send(&self, account: &str, mut plain: Plain) -> Result<Answered, Trouble> {
        self.turn(plain.call, account, &plain.region).await;
        let config = self.for_account(account, &plain.region).await;
        let own = format!("AWS_ENDPOINT_URL_{}", plain.call.service().to_ascii_uppercase());
        let own = std::env::var(own).ok().filter(|url| self.station.is_none() && !url.is_empty());
        if let Some(url) = own.or_else(|| config.endpoint_url().map(str::to_owned)) {
            plain.endpoint = url;
        }
        let asker = (self.roles)(account).map(|role| role.arn).unwrap_or_default();
        self.sender.send(&config, &asker, &plain).await.map_err(Trouble::Unanswered)
    }

    /// As the environment says.
    pub(super) async fn base(&self) -> &SdkConfig {
        let load = async {
            // A Region that is given is not looked for, which would end at the metadata of the machine.
            let region = self.region().await.unwrap_or_else(|| Region::new("us-east-1"));
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(station) = &self.station {
                loader = loader.endpoint_url(&station.endpoint_url).credentials_provider(station.credentials.clone());
            }
            // What AWS's own logs call meshvet.
            if let Ok(name) = AppName::new("meshvet") {
                loader = loader.app_name(name);
            }
            loader
                .http_client(self.http.clone())
                .region(region)
                .identity_cache(IdentityCache::lazy().build())
                .retry_config(
                    RetryConfig::standard()
                        .with_max_attempts(ATTEMPTS)
                        .with_initial_backoff(BACKOFF)
                        .with_max_backoff(LONGEST_BACKOFF),
                )
                .timeout_config(
                    TimeoutConfig::builder()
                        .connect_timeout(CONNECT)
                        .operation_attempt_timeout(ATTEMPT)
                        .operation_timeout(OPERATION)
                        .build(),
                )
                .load()
                .await
        };
        // The SDK's futures are large: boxed, so that a debug build's stack holds them.
        self.base.get_or_init(|| Box::pin(load)).await
    }

    async fn other(&self, role: &AccountRole, region: &Region) -> SdkConfig {
        let cell = {
            let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(others.entry(role.clone()).or_default())
        };
        let load = async {
            let base = self.base().await;
            let mut assumed = AssumeRoleProvider::builder(role.arn.clone())
                .session_name("meshvet")
                .region(region.clone())
                .configure(base);
            if let Some(id) = &role.external_id {
                assumed = assumed.external_id(id.clone());
            }
            let provider = SharedCredentialsProvider::new(assumed.build().await);
            base.clone()
                .into_builder()
                .credentials_provider(provider)
                .identity_cache(IdentityCache::lazy().build())
                .build()
        };
        cell.get_or_init(|| Box::pin(load)).await.clone()
    }
}
