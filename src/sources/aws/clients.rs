//! AWS clients, one for each account and Region, over one rate-limited HTTP client.

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

/// The longest time to connect to AWS.
const CONNECT: Duration = Duration::from_secs(2);
/// The longest time for one attempt of a call.
const ATTEMPT: Duration = Duration::from_secs(4);
/// The longest time for a call with all its attempts.
const OPERATION: Duration = Duration::from_secs(15);
/// The attempts of a call.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt; each later one is about twice as long.
const BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// The most quotas tracked before unused ones are dropped: objects may name any Region.
const MOST_QUOTAS: usize = 1_024;

/// What a call's quota is keyed by: service, calling account, Region.
type Quotas = DefaultKeyedRateLimiter<(&'static str, String, String)>;

/// A replacement for the AWS endpoint and credentials of the environment.
#[derive(Clone, Debug)]
pub struct Station {
    /// The endpoint of all services.
    pub endpoint_url: String,
    /// The Region to assume.
    pub region: String,
    /// The caller's credentials.
    pub credentials: SharedCredentialsProvider,
}

/// Which role to assume for an account; None: call as meshvet itself. Evaluated at each use, as the answer may change.
pub type Roles = Arc<dyn Fn(&str) -> Option<AccountRole> + Send + Sync>;

/// Creates clients, and limits calls as the [`Pace`] allows.
pub(super) struct Clients {
    http: SharedHttpClient,
    roles: Roles,
    station: Option<Station>,
    /// From the environment. Loaded for the first question.
    base: OnceCell<SdkConfig>,
    /// With an assumed role in another account.
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

    /// The outcomes of calls so far.
    pub(super) fn stats(&self) -> CallStats {
        self.stats.clone()
    }

    /// Counts a call and returns its outcome.
    pub(super) fn counted<T>(&self, call: Call, outcome: Result<T, Trouble>) -> Result<T, Trouble> {
        let counted = outcome.as_ref().err().map_or(CallOutcome::Answered, CallOutcome::from);
        self.stats.count(call, counted);
        outcome
    }

    /// Waits until the quota allows one more call.
    pub(super) async fn turn(&self, call: Call, account: &str, region: &str) {
        if self.quotas.len() > MOST_QUOTAS {
            self.quotas.retain_recent();
        }
        let asker = (self.roles)(account).map(|role| role.arn).unwrap_or_default();
        self.quotas.until_key_ready(&(call.service(), asker, region.to_owned())).await;
    }

    /// The Region from the environment or the profile. The instance's metadata service isn't asked.
    pub(super) async fn region(&self) -> Option<Region> {
        if let Some(station) = &self.station {
            return Some(Region::new(station.region.clone()));
        }
        let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::default());
        chain.region().await
    }

    /// The configuration for calls about an ARN: with the role for its account, else as meshvet itself.
    pub(super) async fn for_arn(&self, arn: &Arn) -> SdkConfig {
        self.for_account(&arn.account, &arn.region).await
    }

    /// The same, for any account and Region.
    pub(super) async fn for_account(&self, account: &str, region: &str) -> SdkConfig {
        let region = Region::new(region.to_owned());
        let config = match (self.roles)(account) {
            None => self.base().await.clone(),
            Some(role) => self.other(&role, &region).await,
        };
        config.into_builder().region(region).build()
    }

    /// Makes a call without an SDK client. `AWS_ENDPOINT_URL` and the service's own variable (`AWS_ENDPOINT_URL_IAM`) apply to it too.
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

    /// The environment's configuration.
    pub(super) async fn base(&self) -> &SdkConfig {
        let load = async {
            // With a Region set, the SDK doesn't search for one, which would end at the instance's metadata service.
            let region = self.region().await.unwrap_or_else(|| Region::new("us-east-1"));
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(station) = &self.station {
                loader = loader.endpoint_url(&station.endpoint_url).credentials_provider(station.credentials.clone());
            }
            // meshvet's name in AWS's own logs.
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
