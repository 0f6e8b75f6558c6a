//! The roles of proxies and of the controller, by IAM's simulator and EKS Pod Identity. moto has neither: the proxy before it
//! answers in their own shape.

use serde_json::{Value, json};

use crate::bed;
use crate::cloud::{ACCOUNT, Cloud, PrivateCa, REGION, node, pace, root, trusting};
use crate::proxy::Fault;

const ROLE: &str = "arn:aws:iam::123456789012:role/blue";
const CONTROLLER: &str = "arn:aws:iam::123456789012:role/controller";

fn service_account() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"namespace": "shop", "name": "default", "annotations": {"eks.amazonaws.com/role-arn": ROLE}},
    })
}

fn decision(decision: &str) -> Fault {
    let xml = format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member>\
         <EvalActionName>a</EvalActionName><EvalDecision>{decision}</EvalDecision><EvalResourceName>*</EvalResourceName>\
         <MissingContextValues/></member></EvaluationResults></SimulatePrincipalPolicyResult>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    );
    Fault::Answer(200, xml)
}

const POLICY: &str = "aws: {roles: {enabled: true, controller: 'arn:aws:iam::123456789012:role/controller'}}";

/// The node `blue` with a certificate of ACM, created in App Mesh already.
async fn blue(root: &PrivateCa) -> Value {
    let mut node = trusting(node(&root.certificate(&["blue.apps.local"]).await), &[&root.arn]);
    let arn = format!("arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh/apps/virtualNode/blue_shop");
    node["status"] = json!({"virtualNodeARN": arn});
    node
}

/// Other nodes' configuration is denied, and everything else is as said.
fn restrict(cloud: &Cloud) {
    cloud.proxy.fail("SimulatePrincipalPolicy", "another-one", decision("implicitDeny"));
}

#[tokio::test]
async fn roles_that_may_do_what_they_have_to_pass_silently() {
    let cloud = Cloud::with(pace(), POLICY).await;
    restrict(&cloud);
    cloud.proxy.fail("SimulatePrincipalPolicy", "", decision("allowed"));
    let root = root("Shop root").await;
    cloud.bed([service_account()]).ask(&bed::create(blue(&root).await)).await.passes_silently();
    // Three of the proxy and one more, two of the controller, each signed for IAM's own Region.
    let asked: Vec<_> = cloud.proxy.seen().into_iter().filter(|seen| seen.call == "SimulatePrincipalPolicy").collect();
    assert_eq!(asked.len(), 6, "{asked:?}");
    for seen in &asked {
        assert!(seen.authorization.contains("/us-east-1/iam/aws4_request"), "{seen:?}");
    }
    let roles = |role: &str| {
        asked.iter().filter(|seen| seen.body.contains(&role.replace('/', "%2F").replace(':', "%3A"))).count()
    };
    assert_eq!((roles(ROLE), roles(CONTROLLER)), (4, 2));
}

#[tokio::test]
async fn roles_that_lack_something_warn() {
    let cloud = Cloud::with(pace(), POLICY).await;
    restrict(&cloud);
    cloud.proxy.fail("SimulatePrincipalPolicy", "ExportCertificate", decision("implicitDeny"));
    cloud.proxy.fail("SimulatePrincipalPolicy", "StreamAggregatedResources", decision("explicitDeny"));
    cloud.proxy.fail("SimulatePrincipalPolicy", "acm-pca%3ADescribeCertificateAuthority", decision("implicitDeny"));
    cloud.proxy.fail("SimulatePrincipalPolicy", "", decision("allowed"));
    let root = root("Shop root").await;
    let response = cloud.bed([service_account()]).ask(&bed::create(blue(&root).await)).await;
    response.warns(&["MV409", "acm:ExportCertificate"]);
    response.warns(&["MV410", "configuration of this virtual node"]);
    response.warns(&["MV412", "acm-pca:DescribeCertificateAuthority"]);
    assert_eq!(response.warnings().len(), 3, "{:?}", response.warnings());
}

#[tokio::test]
async fn a_role_that_may_stream_everything_warns() {
    let cloud = Cloud::with(pace(), POLICY).await;
    cloud.proxy.fail("SimulatePrincipalPolicy", "", decision("allowed"));
    let root = root("Shop root").await;
    let response = cloud.bed([service_account()]).ask(&bed::create(blue(&root).await)).await;
    response.warns(&["MV410", "every virtual node"]);
}

#[tokio::test]
async fn pod_identity_tells_the_role() {
    let cloud = Cloud::with(pace(), "aws: {roles: {enabled: true, cluster: prod}}").await;
    let folder = "/clusters/prod/pod-identity-associations";
    let listed = json!({"associations": [{"associationId": "a-1", "namespace": "shop", "serviceAccount": "default"}]});
    cloud.proxy.fail(folder, "namespace=shop&serviceAccount=default", Fault::Answer(200, listed.to_string()));
    let described = json!({"association": {"associationId": "a-1", "roleArn": ROLE}});
    let one = "/clusters/prod/pod-identity-associations/a-1";
    cloud.proxy.fail(one, "", Fault::Answer(200, described.to_string()));
    restrict(&cloud);
    cloud.proxy.fail("SimulatePrincipalPolicy", "ExportCertificate", decision("implicitDeny"));
    cloud.proxy.fail("SimulatePrincipalPolicy", "", decision("allowed"));
    let root = root("Shop root").await;
    cloud.create(blue(&root).await).await.warns(&["MV409", "acm:ExportCertificate"]);
    let asked = cloud.proxy.seen();
    let asked = asked.iter().find(|seen| seen.call == folder).expect("a question to EKS");
    assert!(asked.authorization.contains(&format!("/{REGION}/eks/aws4_request")), "{asked:?}");
}

#[tokio::test]
async fn without_the_permission_to_ask_nothing_is_said_of_roles() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/x is not \
                  authorized to perform: iam:SimulatePrincipalPolicy</Message></Error></ErrorResponse>";
    for fault in [
        Fault::Answer(403, denied.to_owned()),
        Fault::Answer(200, "<html>".to_owned()),
        Fault::Html,
        Fault::Reset,
        Fault::Cut,
    ] {
        let cloud = Cloud::with(pace(), POLICY).await;
        cloud.proxy.fail("SimulatePrincipalPolicy", "", fault);
        let root = root("Shop root").await;
        cloud.bed([service_account()]).ask(&bed::create(blue(&root).await)).await.passes_silently();
    }
}

#[tokio::test]
async fn roles_are_left_alone_unless_the_policy_enables_them() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    cloud.bed([service_account()]).ask(&bed::create(blue(&root).await)).await.passes_silently();
    assert_eq!(cloud.proxy.counts().get("SimulatePrincipalPolicy"), None);
}
