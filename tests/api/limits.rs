//! What is too long, too deep or no JSON.

use harness::TestApp;
use reqwest::Method;

#[tokio::test]
async fn a_path_and_query_of_more_than_8_kib_are_refused() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let fits = format!("/v1/me?{}", "a".repeat(8 * 1024 - "/v1/me?".len()));
    let _ = ada.get(&fits).await.is(200);
    ada.get(&format!("{fits}a")).await.is_problem(414, "uri_too_long");
    ada.get(&format!("/v1/{}", "a".repeat(9_000))).await.is_problem(414, "uri_too_long");
    app.stranger().get(&format!("{fits}a")).await.is_problem(414, "uri_too_long");
    let page = app.stranger().get(&format!("/links/verify/{}", "a".repeat(9_000))).await.is(414);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let app = TestApp::start().await;
    let head = |headers: String| format!("GET /livez HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n");
    assert_eq!(app.raw(head(format!("A: {}\r\n", "a".repeat(16_000)))).await.status(), 200);
    assert_eq!(app.raw(head("A: b\r\n".repeat(101))).await.status(), 431);
    assert_eq!(app.raw(head(format!("A: {}\r\n", "a".repeat(1_000_000)))).await.status(), 431);
}

#[tokio::test]
async fn json_is_read_strictly() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let send = async |body: Vec<u8>, name: String| {
        let request = ada.request(Method::PATCH, "/v1/me").header("Content-Type", "application/json").body(body);
        ada.send(request, name).await
    };
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let malformed: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b"".to_vec()),
        ("spaces", b"  ".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("bytes that are no UTF-8", b"{\"name\": \"\xff\"}".to_vec()),
        ("an overlong form", b"{\"name\": \"\xc0\xaf\"}".to_vec()),
        ("a surrogate in UTF-8", b"{\"name\": \"\xed\xa0\x80\"}".to_vec()),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a lone surrogate", br#"{"name": "\ud800"}"#.to_vec()),
        ("half a pair and something else", br#"{"name": "\ud83dx"}"#.to_vec()),
        ("NUL", br#"{"name": "a\u0000b"}"#.to_vec()),
        ("NUL where nobody looks", br#"{"unknown": ["a\u0000b"]}"#.to_vec()),
        ("a NUL that is not even escaped", b"{\"name\": \"a\0b\"}".to_vec()),
        ("a line that is not escaped", b"{\"name\": \"a\nb\"}".to_vec()),
        ("a number beyond all numbers", br#"{"name": 1e999}"#.to_vec()),
        ("no number", br#"{"name": NaN}"#.to_vec()),
        ("a zero in front", br#"{"name": 01}"#.to_vec()),
        ("a key twice", br#"{"name": "a", "name": "a"}"#.to_vec()),
        ("a key twice in two spellings", br#"{"name": "a", "\u006eame": "a"}"#.to_vec()),
        ("a key twice further in", br#"{"name": {"a": 1, "a": 2}}"#.to_vec()),
        ("33 deep", format!("{{\"name\": {}}}", nested(32)).into_bytes()),
        ("very deep", nested(30_000).into_bytes()),
        ("something behind it", b"{} {}".to_vec()),
        ("a comma too many", br#"{"name": "a",}"#.to_vec()),
        ("single quotes", b"{'name': 'a'}".to_vec()),
        ("a comment", b"{} // done".to_vec()),
        ("half of it", br#"{"name": "a"#.to_vec()),
    ];
    for (name, body) in malformed {
        send(body, name.to_owned()).await.is_problem(400, "malformed_json");
    }
    let read: Vec<(&str, Vec<u8>, u16)> = vec![
        ("spaces around it", b" \r\n\t{} \n".to_vec(), 200),
        ("a pair of surrogates", br#"{"name": "\ud83d\ude80"}"#.to_vec(), 200),
        ("32 deep", format!("{{\"name\": {}}}", nested(31)).into_bytes(), 422),
        ("a number of many digits", format!("{{\"name\": {}}}", "9".repeat(300)).into_bytes(), 422),
        ("no object", b"[]".to_vec(), 422),
        ("null", b"null".to_vec(), 422),
    ];
    for (name, body, status) in read {
        let _ = send(body, name.to_owned()).await.is(status);
    }
    assert_eq!(ada.get("/v1/me").await.is(200).json()["name"], "\u{1f680}");
}

#[tokio::test]
async fn who_waits_for_a_go_ahead_gets_it() {
    let app = TestApp::start().await;
    let body = "{}";
    let reply = app
        .raw(format!(
            "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    assert!(reply.text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 422 "), "{}", reply.text);
}
