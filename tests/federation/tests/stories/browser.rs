//! A browser as the stories need one: it keeps a cookie, says where a form comes from, and reads what it is answered.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer to a browser.
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Page {
    /// A header field; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let of = |line: &'_ str| line.split_once(": ").is_some_and(|(own, _)| own.eq_ignore_ascii_case(name));
        self.head.lines().find(|line| of(line)).and_then(|line| line.split_once(": ")).map_or("", |(_, v)| v)
    }

    /// What a hidden field of the page holds.
    pub fn hidden(&self, name: &str) -> Result<String> {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.body.split_once(&start).with_context(|| format!("no `{name}`: {}", self.body))?;
        Ok(rest.split_once('"').context("no end")?.0.to_owned())
    }
}

/// A browser at one desk.
#[derive(Clone)]
pub struct Browser {
    /// `127.0.0.1:8445`.
    pub host: String,
    /// Who it says it talks to; its own address unless it was lured.
    pub says_host: String,
    /// Where its forms come from.
    pub origin: Option<String>,
    pub cookie: Option<String>,
}

impl Browser {
    pub fn at(url: &str) -> Result<Self> {
        let host = url.strip_prefix("http://").context("not http")?.to_owned();
        Ok(Self { says_host: host.clone(), origin: Some(url.to_owned()), host, cookie: None })
    }

    async fn ask(&self, method: &str, path: &str, form: Option<&str>) -> Result<Page> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.says_host);
        if let Some(cookie) = &self.cookie {
            request += &format!("cookie: {cookie}\r\n");
        }
        if let (Some(form), origin) = (form, &self.origin) {
            if let Some(origin) = origin {
                request += &format!("origin: {origin}\r\n");
            }
            request += &format!(
                "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
                form.len()
            );
        }
        request += "\r\n";
        request += form.unwrap_or_default();
        let mut stream = TcpStream::connect(&self.host).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let answer = String::from_utf8(bytes)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Page { status, head: head.replace("\r\n", "\n"), body: body.to_owned() })
    }

    pub async fn get(&self, path: &str) -> Result<Page> {
        self.ask("GET", path, None).await
    }

    /// Sends a form as it stands.
    pub async fn send(&self, path: &str, form: &[(&str, &str)]) -> Result<Page> {
        let encoded: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        self.ask("POST", path, Some(&encoded.join("&"))).await
    }

    /// Types the code and keeps the cookie.
    pub async fn enter(&mut self, code: &str) -> Result<Page> {
        let page = self.send("/login", &[("code", code), ("lang", "es")]).await?;
        let cookie = page.header("set-cookie");
        self.cookie = (!cookie.is_empty()).then(|| cookie.split(';').next().unwrap().to_owned());
        Ok(page)
    }

    /// Opens a page, fills the form that goes to `action` in with its mark, and follows where that leads.
    pub async fn fill(&self, page: &str, action: &str, form: &[(&str, &str)]) -> Result<Page> {
        let mark = self.get(page).await?.hidden("mark")?;
        let form: Vec<_> = form.iter().copied().chain([("mark", mark.as_str())]).collect();
        let answer = self.send(action, &form).await?;
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.get(answer.header("location")).await
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let sign = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(sign).collect()
}
