//! Answers that are too large, too slow, cut off, or packed.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let server =
        serve(|_, _| async { reply("200", &[("content-encoding", "gzip")], gzip(b"plain")).into() }).await;
    let ready = rig(&[&server]).ready();
    let answer = ready.get("/").await.unwrap();
    assert_eq!(text(&answer), "plain");
    assert!(server.asked()[0].header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!(ready.exchanges()[0].bytes, 5);
}

#[tokio::test]
async fn answers_that_are_too_large_are_given_up() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 17);
    let replies: [(&str, Vec<u8>, Then); 3] = [
        ("bomb", reply("200", &[("content-encoding", "gzip")], &bomb), Then::Close),
        ("endless", b"HTTP/1.1 200 X\r\n\r\n".to_vec(), Then::Repeat),
        ("announced", b"HTTP/1.1 200 X\r\ncontent-length: 99999999999\r\n\r\n".to_vec(), Then::Stall),
    ];
    for (name, bytes, then) in replies {
        let server = serve(move |_, _| {
            let bytes = bytes.clone();
            async move { Reply { bytes, then } }
        })
        .await;
        let mut rig = rig(&[&server]);
        rig.limits.max_body = 2 << 20;
        rig.limits.max_attempts = 3;
        let ready = rig.ready();
        let failure = ready.get("/").await.unwrap_err();
        assert!(
            failure.message.ends_with("the answer is larger than 2 MiB, decompressed"),
            "{name}: {failure}"
        );
        assert_eq!(server.count(), 1, "{name} is not tried again");
        let told = &ready.exchanges()[0];
        assert!(told.bytes < 3 << 20, "{name}: {}", told.bytes);
        assert_eq!((told.status, told.failure.is_some()), (Some(200), true));
    }
}

#[tokio::test]
async fn head_may_announce_what_does_not_come() {
    let server =
        serve(|_, _| async { b"HTTP/1.1 200 X\r\ncontent-length: 99999999999\r\n\r\n".to_vec().into() });
    let answer = rig(&[&server.await]).ready().client.send(request("HEAD", "/")).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn broken_answers_have_their_words() {
    let half = b"HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\nhalf";
    let chunked = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let damaged = reply("200", &[("content-encoding", "gzip")], b"this was never packed");
    let cut = {
        let packed = gzip(&(0..9000_u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>());
        reply("200", &[("content-encoding", "gzip")], &packed[..packed.len() / 2])
    };
    let broken =
        [&b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: 99\r\n\r\n"[..], &gzip(b"plain")]
            .concat();
    let table: [(&str, &[u8], Then); 10] = [
        ("closed at once", b"", Then::Close),
        ("no answer in time", b"", Then::Stall),
        ("not HTTP", b"SSH-2.0-OpenSSH_9.9\r\n\r\n", Then::Close),
        ("half a head", b"HTTP/1.1 200 X\r\ncontent", Then::Close),
        ("half a body", half, Then::Close),
        ("a chunk is missing", chunked, Then::Close),
        ("silent in the middle", half, Then::Stall),
        ("not packed", &damaged, Then::Close),
        ("packed, and cut off", &cut, Then::Close),
        ("packed, and the connection breaks", &broken, Then::Close),
    ];
    let mut words = String::new();
    for (name, bytes, then) in table {
        let bytes = bytes.to_vec();
        let server = serve(move |_, _| {
            let bytes = bytes.clone();
            async move { Reply { bytes, then } }
        })
        .await;
        let mut rig = rig(&[&server]);
        rig.limits.idle_timeout = Duration::from_millis(300);
        rig.limits.request_timeout = Duration::from_millis(1500);
        let ready = rig.ready();
        let failure = ready.get("/").await.unwrap_err();
        words.push_str(&format!("{name}\n{}\n\n", in_full(&failure, &server)));
        let timed_out = ready.exchanges().iter().any(|told| told.timed_out);
        assert_eq!(timed_out, then == Then::Stall, "{name}: whether it counts as a timeout");
    }
    insta::assert_snapshot!(words);
}

#[tokio::test]
async fn a_request_has_its_own_time() {
    let server = serve(|_, _| std::future::pending()).await;
    let mut rig = rig(&[&server]);
    rig.limits.max_timeout = Duration::from_millis(300);
    let ready = rig.ready();
    for (asked, expected) in [(100, "100 ms"), (60_000, "300 ms")] {
        let mut request = request("GET", "/");
        request.timeout_ms = Some(asked);
        let failure = ready.client.send(request).await.unwrap_err();
        assert!(failure.message.ends_with(&format!("there was no answer after {expected}")), "{failure}");
    }
}

#[tokio::test]
async fn a_body_that_drips_has_an_end() {
    let server =
        serve(|_, _| async { Reply { bytes: b"HTTP/1.1 200 X\r\n\r\n".to_vec(), then: Then::Stall } }).await;
    let mut rig = rig(&[&server]);
    rig.limits.request_timeout = Duration::from_millis(200);
    let failure = rig.ready().get("/").await.unwrap_err();
    assert!(failure.message.ends_with("the answer was not complete after 200 ms"), "{failure}");
}
