//! An API server without a single object, for servers that have to know their cluster before they judge.

use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use futures::StreamExt as _;

/// Its address. It serves for as long as the suite runs.
pub(crate) static EMPTY: LazyLock<SocketAddr> = LazyLock::new(|| serve(Router::new().fallback(answer)));

/// Another one, whose clock says something else.
pub(crate) fn dated(date: &'static str) -> SocketAddr {
    let dated = async move |request: Request<Body>| {
        let mut response = answer(request).await;
        response.headers_mut().insert("date", axum::http::HeaderValue::from_static(date));
        response
    };
    serve(Router::new().fallback(dated))
}

fn serve(router: Router) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("it serves");
        });
    });
    address
}

async fn answer(request: Request<Body>) -> Response {
    if request.uri().query().is_some_and(|query| query.contains("watch=true")) {
        let silence = futures::stream::once(async { Ok::<_, std::io::Error>(bytes::Bytes::new()) });
        return Response::new(Body::from_stream(silence.chain(futures::stream::pending())));
    }
    let list = r#"{"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}"#;
    Response::new(Body::from(list))
}
