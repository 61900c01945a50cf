//! Trying again: what, when, how often, and the gate that a 429 closes.

use super::*;
use std::time::Instant;

fn patient(server: &Server) -> Rig {
    let mut rig = rig(&[server]);
    rig.limits.max_attempts = 3;
    rig
}

/// Answers with a status and `Retry-After: 0` until it has done so a number of times.
async fn failing(status: &'static str, times: usize) -> Server {
    serve(move |_, before| async move {
        match before < times {
            true => reply(status, &[("retry-after", "0")], "").into(),
            false => ok(""),
        }
    })
    .await
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    let table = [
        ("503", "GET", None, None, 200, 3),
        ("502", "HEAD", None, None, 200, 3),
        ("504", "OPTIONS", None, None, 200, 3),
        ("503", "GET", Some(false), None, 503, 1),
        ("503", "POST", None, None, 503, 1),
        ("503", "POST", Some(true), None, 200, 3),
        ("500", "GET", None, None, 500, 1),
        ("500", "GET", None, Some(vec![500_u16]), 200_u16, 3_usize),
        ("503", "GET", None, Some(vec![]), 503, 1),
        ("429", "POST", None, None, 200, 3),
        ("429", "DELETE", Some(false), Some(vec![]), 200, 3),
        ("404", "GET", None, None, 404, 1),
    ];
    for (status, method, repeatable, retry_on, expected, requests) in table {
        let server = failing(status, 2).await;
        let mut request = request(method, "/");
        (request.repeatable, request.retry_on) = (repeatable, retry_on);
        let answer = patient(&server).ready().client.send(request).await.unwrap();
        assert_eq!((answer.status, server.count()), (expected, requests), "{status} {method} {repeatable:?}");
    }
}

#[tokio::test]
async fn the_last_answer_is_an_answer() {
    let server = failing("503", 9).await;
    let ready = patient(&server).ready();
    let answer = ready.get("/").await.unwrap();
    assert_eq!((answer.status, answer.exchange, server.count()), (503, 1, 3));
    let told: Vec<_> = ready.exchanges().iter().map(|told| (told.attempt, told.retry_in)).collect();
    assert_eq!(told, [(1, Some(Duration::ZERO)), (2, Some(Duration::ZERO)), (3, None)]);
}

#[tokio::test]
async fn connections_that_break_are_tried_again() {
    let server = serve(|_, before| async move {
        match before {
            0 => Vec::new().into(),
            1 => b"HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\nhalf".to_vec().into(),
            _ => ok("whole"),
        }
    })
    .await;
    let answer = patient(&server).ready().get("/").await.unwrap();
    assert_eq!(text(&answer), "whole");
    assert_eq!(server.count(), 3);

    let server = serve(|_, _| async { Vec::new().into() }).await;
    let failure = patient(&server).ready().client.send(request("POST", "/")).await.unwrap_err();
    assert_eq!(server.count(), 1);
    insta::assert_snapshot!(in_full(&failure, &server));
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let server = serve(|_, before| async move {
        match before {
            0 => reply("503", &[("retry-after", "1")], "").into(),
            _ => ok(""),
        }
    })
    .await;
    let ready = patient(&server).ready();
    let begun = Instant::now();
    ready.get("/").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(ready.exchanges()[0].retry_in, Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_not_waited_for() {
    for after in ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let server =
            serve(move |_, _| async move { reply("429", &[("retry-after", after)], "").into() }).await;
        let ready = patient(&server).ready();
        let begun = Instant::now();
        let answer = ready.get("/").await.unwrap();
        assert_eq!((answer.status, server.count()), (429, 1));
        assert!(answer.headers.contains(&("retry-after".to_owned(), after.to_owned())));
        assert!(
            ready.exchanges()[0]
                .failure
                .as_ref()
                .unwrap()
                .ends_with("longer than the 300 s that are waited for")
        );
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_holds_everybody_else() {
    let server = serve(|asked, _| async move {
        match asked.path.as_str() {
            "/full" => reply("429", &[("retry-after", "3600")], "").into(),
            _ => reply("503", &[("retry-after", "3600")], "").into(),
        }
    })
    .await;
    let ready = patient(&server).ready();
    assert_eq!(ready.get("/down").await.unwrap().status, 503);
    assert_eq!(ready.get("/full").await.unwrap().status, 429, "a 503 is one request's own");
    let begun = Instant::now();
    let failure = ready.get("/next").await.unwrap_err();
    assert_eq!((failure.status, server.count()), (Some(429), 2), "nothing was sent");
    assert!(failure.message.contains("longer than the 300 s that are waited for"), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(1));

    // What remains to be waited becomes short enough.
    let server = serve(|_, before| async move {
        match before {
            0 => reply("429", &[("retry-after", "2")], "").into(),
            _ => ok(""),
        }
    })
    .await;
    let mut rig = patient(&server);
    rig.limits.max_retry_wait = Duration::from_secs(1);
    let ready = rig.ready();
    assert_eq!(ready.get("/full").await.unwrap().status, 429);
    assert!(ready.get("/early").await.is_err());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(ready.get("/late").await.unwrap().status, 200);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_429_holds_everybody() {
    let server = serve(|_, before| async move {
        match before {
            0 => reply("429", &[("retry-after", "1")], "").into(),
            _ => ok(""),
        }
    })
    .await;
    let ready = patient(&server).ready();
    let begun = Instant::now();
    let first = ready.get("/first");
    let second = async {
        while ready.exchanges().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(begun.elapsed() < Duration::from_millis(500));
        let asked = Instant::now();
        let second = ready.get("/second").await;
        assert!(asked.elapsed() >= Duration::from_millis(800), "the gate held it");
        second
    };
    let (first, second) = futures_util::future::join(first, second).await;
    assert_eq!((first.unwrap().status, second.unwrap().status), (200, 200));
    assert_eq!(server.count(), 3);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    for told in &ready.exchanges()[1..] {
        assert_eq!(
            told.waited_for_cap.as_millis() / 100,
            0,
            "waiting at the gate is not waiting for the cap"
        );
    }
}

#[tokio::test]
async fn cancelling_interrupts_a_wait() {
    let server = serve(|_, _| async { reply("503", &[("retry-after", "60")], "").into() }).await;
    let ready = patient(&server).ready();
    let (client, cancel) = (Arc::clone(&ready.client), ready.cancel.clone());
    let sending = tokio::spawn(async move { client.send(request("GET", "/")).await });
    while ready.exchanges().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asked = Instant::now();
    cancel.cancel();
    assert!(sending.await.unwrap().unwrap_err().cancelled);
    assert!(asked.elapsed() < Duration::from_millis(100));
}
