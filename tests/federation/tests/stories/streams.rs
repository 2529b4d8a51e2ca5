//! Streams of events: what a reader gets, from where it goes on, and when it is let go.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use puente_node::setup::agency;
use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

/// A stream as its reader sees it.
struct Stream {
    connection: TlsStream<TcpStream>,
    read: String,
}

impl Stream {
    /// Opens one of the reception agency's, from a cursor on.
    async fn open(federation: &Federation, last: Option<i64>) -> Result<Self> {
        let mut connection = federation.raw("GT", "IGM").await?;
        let last = last.map(|last| format!("Last-Event-ID: {last}\r\n")).unwrap_or_default();
        let request = format!("GET /v1/events HTTP/1.1\r\nHost: gt\r\n{last}Connection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        Ok(Self { connection, read: String::new() })
    }

    /// Reads on; false at the end.
    async fn more(&mut self) -> Result<bool> {
        let mut bytes = [0; 16 * 1024];
        let read = tokio::time::timeout(std::time::Duration::from_secs(20), self.connection.read(&mut bytes));
        let count = read.await.context("the stream neither went on nor ended")?.unwrap_or(0);
        self.read.push_str(std::str::from_utf8(&bytes[..count])?);
        Ok(count > 0)
    }

    /// Events read so far.
    fn events(&self) -> Vec<Value> {
        let whole =
            self.read.split("\n\n").filter(|frame| frame.contains("\ndata: ") || frame.starts_with("data: "));
        whole.filter_map(|frame| serde_json::from_str(frame.split("data: ").nth(1)?).ok()).collect()
    }

    /// Events, once there are so many.
    async fn until(&mut self, count: usize) -> Result<Vec<Value>> {
        while self.events().len() < count {
            if !self.more().await? {
                bail!("the stream ended after {} of {count}: {}", self.events().len(), self.read);
            }
        }
        Ok(self.events())
    }
}

fn ids(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["id"].as_str().unwrap().parse().unwrap()).collect()
}

async fn send(federation: &Federation, rows: std::ops::RangeInclusive<u32>) -> Result<()> {
    let batch: Vec<Value> = rows.map(adult_row).collect();
    let sent = post(&federation.client("MX", "INM")?, "/v1/messages/batch", &json!(batch)).await?;
    assert!(sent.status.is_success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_goes_on_where_it_stopped_without_loss_or_repetition() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let mut first = Stream::open(&federation, None).await?;
    send(&federation, 1..=3).await?;
    let seen = first.until(3).await?;
    drop(first);
    send(&federation, 4..=6).await?;
    // The node's end and start are no gap either.
    federation.stop("GT").await?;
    federation.start("GT").await?;
    send(&federation, 7..=9).await?;
    let last = *ids(&seen).last().unwrap();
    let rest = Stream::open(&federation, Some(last)).await?.until(6).await?;
    let inbox: Value = federation.client("GT", "IGM")?.get("/v1/inbox").await?.json()?;
    let all: Vec<Value> = seen.into_iter().chain(rest).collect();
    assert_eq!(json!(all), inbox["events"]);
    assert!(ids(&all).is_sorted());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_streams_of_one_agency_both_show_everything() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (mut one, mut other) =
        (Stream::open(&federation, None).await?, Stream::open(&federation, None).await?);
    send(&federation, 1..=4).await?;
    assert_eq!(one.until(4).await?, other.until(4).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_has_its_part_of_the_streams_and_gets_one_back_when_it_closes_one() -> Result<()> {
    let federation =
        Federation::with(&["GT", "MX"], AGENCIES, |config| config.limits.event_streams = 5).await?;
    send(&federation, 1..=1).await?;
    let mut open = [Stream::open(&federation, None).await?, Stream::open(&federation, None).await?];
    for stream in &mut open {
        stream.until(1).await?;
    }
    let mut third = Stream::open(&federation, None).await?;
    while third.more().await? {}
    assert!(
        third.read.starts_with("HTTP/1.1 429 ") && third.read.contains("event.streams"),
        "{}",
        third.read
    );
    drop(open);
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(20));
    loop {
        let mut again = Stream::open(&federation, None).await?;
        while again.events().is_empty() && again.more().await? {}
        if !again.events().is_empty() {
            return Ok(());
        }
        pause.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_reads_nothing_keeps_no_more_than_a_page_and_loses_nothing() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let mut slow = Stream::open(&federation, None).await?;
    for batch in 0..4 {
        send(&federation, batch * 400 + 1..=batch * 400 + 400).await?;
    }
    let igm = federation.client("GT", "IGM")?;
    federation.until(&igm, "/v1/inbox?after=1500&limit=500", |inbox| inbox["next"] == 1600).await?;
    let all = slow.until(1600).await?;
    assert_eq!(ids(&all), (1..=1600).collect::<Vec<i64>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_agency_is_revoked_and_when_the_node_stops() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    send(&federation, 1..=1).await?;
    let mut stopped = Stream::open(&federation, None).await?;
    stopped.until(1).await?;
    federation.stop("GT").await?;
    while stopped.more().await? {}
    assert!(stopped.read.trim_end().ends_with("\r\n0"), "the last chunk ends it: {}", stopped.read);

    federation.start("GT").await?;
    let mut revoked = Stream::open(&federation, None).await?;
    revoked.until(1).await?;
    let member = federation.member("GT")?;
    agency::revoke(&member.home, &"IGM".parse()?, federation.clock.as_ref())?;
    member.running.as_ref().unwrap().reload()?;
    while revoked.more().await? {}
    assert_eq!(revoked.events().len(), 1);
    let mut again = Stream::open(&federation, None).await?;
    while again.more().await? {}
    assert!(again.read.contains("client.revoked"), "{}", again.read);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_event_id_that_is_no_cursor_is_refused() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let mut connection = federation.raw("GT", "IGM").await?;
    let request =
        "GET /v1/events HTTP/1.1\r\nHost: gt\r\nLast-Event-ID: yesterday\r\nConnection: close\r\n\r\n";
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 422 ") && answer.contains("Last-Event-ID"), "{answer}");
    Ok(())
}
