//! Who meshvet is at AWS, and what the roles of proxies and controllers may do.

use aws_sdk_sts::Client;

use crate::aws::{Answer, Call, Home, Question, Unanswered};
use crate::sources::aws::Progress;
use crate::sources::aws::clients::Clients;
use crate::sources::aws::failure::{Trouble, trouble};

/// In which Region and account meshvet is: by its environment, and by asking STS.
pub(super) async fn home(clients: &Clients) -> Home {
    let call = Call::GetCallerIdentity;
    let region = clients.region().await.map(|region| region.to_string());
    clients.turn(call, "", region.as_deref().unwrap_or_default()).await;
    let answer = Client::new(clients.base().await).get_caller_identity().send().await;
    match answer {
        Ok(caller) => Home { region, account: caller.account().map(str::to_owned), unanswered: None },
        Err(error) => {
            let unanswered = match trouble(call, &error) {
                Trouble::Unanswered(why) => why,
                Trouble::NotFound => Unanswered::Failed { call, why: "not found".to_owned() },
            };
            Home { region, account: None, unanswered: Some(unanswered) }
        }
    }
}

/// What IAM and EKS say of a role.
pub(super) async fn role(_clients: &Clients, question: &Question, _progress: &Progress) -> Result<Answer, Trouble> {
    Err(Trouble::Unanswered(Unanswered::Failed { call: question.calls()[0], why: "not asked".to_owned() }))
}
