use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{PATIENCE, TestApp};

/// An answer as it came over the wire, to a request that no client library would send.
#[derive(Clone, Debug)]
pub struct Raw {
    /// All of it.
    pub text: String,
}

impl TestApp {
    /// Sends bytes and reads until the server closes: say `Connection: close`.
    ///
    /// # Panics
    /// When it does not.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> Raw {
        let mut socket = TcpStream::connect(("127.0.0.1", self.api.port().unwrap())).await.unwrap();
        // A server may refuse, and close, before it has read everything.
        let _ = socket.write_all(bytes.as_ref()).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the server closes");
        Raw { text: String::from_utf8_lossy(&answer).into_owned() }
    }
}

impl Raw {
    /// The status.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status: {}", self.text))
    }

    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// What follows the head.
    #[must_use]
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}
