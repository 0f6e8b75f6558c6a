//! meshvet's own identity in AWS.

use aws_sdk_sts::Client;

use crate::aws::{Call, Home, Unanswered};
use crate::sources::aws::clients::Clients;
use crate::sources::aws::failure::{Trouble, trouble};

/// meshvet's Region, from its environment, and its account, from STS.
pub(super) async fn home(clients: &Clients) -> Home {
    let call = Call::GetCallerIdentity;
    let region = clients.region().await.map(|region| region.to_string());
    clients.turn(call, "", region.as_deref().unwrap_or_default()).await;
    let answer = Box::pin(Client::new(clients.base().await).get_caller_identity().send()).await;
    match clients.counted(call, answer.map_err(|error| trouble(call, &error))) {
        Ok(caller) => Home { region, account: caller.account().map(str::to_owned), unanswered: None },
        Err(trouble) => {
            let unanswered = match trouble {
                Trouble::Unanswered(why) => why,
                Trouble::NotFound => Unanswered::Failed { call, why: "not found".to_owned() },
            };
            Home { region, account: None, unanswered: Some(unanswered) }
        }
    }
}
