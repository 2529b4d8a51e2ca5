//! A mail server on loopback that keeps what it is given, or refuses it (RFC 5321, as much as a sender sees of it).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address it was for.
    pub to: String,
    /// Header and body.
    pub text: String,
}

#[derive(Default)]
struct Held {
    mails: Vec<Mail>,
    refuses: bool,
    refused: usize,
}

/// The server; it ends with the test's runtime.
pub struct MailServer {
    /// Its port on 127.0.0.1.
    pub port: u16,
    held: Arc<Mutex<Held>>,
}

impl MailServer {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let held = Arc::new(Mutex::new(Held::default()));
        let kept = Arc::clone(&held);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(speak(stream, Arc::clone(&kept)));
            }
        });
        Ok(Self { port, held })
    }

    /// From now on every mail is refused for the moment, or taken.
    pub fn refuse(&self, refuses: bool) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).refuses = refuses;
    }

    /// Mails so far.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }

    /// Waits until so many were refused.
    ///
    /// # Errors
    /// When they are not within 20 seconds.
    pub async fn refused(&self, count: usize) -> Result<()> {
        self.until(|held| held.refused >= count).await
    }

    /// Waits until somebody has so many mails; answers them.
    ///
    /// # Errors
    /// When that does not come within 20 seconds.
    pub async fn delivered(&self, to: &str, count: usize) -> Result<Vec<Mail>> {
        self.until(|held| held.mails.iter().filter(|mail| mail.to == to).count() >= count).await?;
        Ok(self.mails().into_iter().filter(|mail| mail.to == to).collect())
    }

    async fn until(&self, found: impl Fn(&Held) -> bool) -> Result<()> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            if found(&self.held.lock().unwrap_or_else(PoisonError::into_inner)) {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                bail!("the mail that was waited for did not come");
            }
            pause.tick().await;
        }
    }
}

async fn speak(stream: TcpStream, held: Arc<Mutex<Held>>) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "RCPT" => {
                let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                to = inside.map(|(address, _)| address.to_owned()).unwrap_or_default();
                b"250 ok\r\n"
            }
            "DATA" => {
                writer.write_all(b"354 go\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                if held.refuses {
                    held.refused += 1;
                    b"451 later\r\n"
                } else {
                    held.mails.push(Mail { to: to.clone(), text });
                    b"250 taken\r\n"
                }
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}
