//! A mail server that behaves, except at one place.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    time::sleep,
};
use url::Url;

use super::page::Place;

/// What it does in the place of the right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Says this line.
    Says(&'static [u8]),
    /// Says this and hangs up.
    SaysAndHangsUp(&'static [u8]),
    WrongYes,
    LongLine,
    EndlessLines,
    EndlessLine,
    Nothing,
    DripsForEver,
    Drips,
    BareCode,
    HangsUp,
    HangsUpUnasked,
    Resets,
    Twice,
    AndThen421,
    AndTheNext,
    /// Does not offer what comes next.
    OffersNothing,
}

impl Deed {
    /// Whether only a deadline ends it.
    pub(super) fn is_slow(self) -> bool {
        matches!(self, Self::Nothing | Self::DripsForEver)
    }

    /// Whether it does what is right first, and is noticed later.
    pub(super) fn is_surplus(self) -> bool {
        matches!(self, Self::Twice | Self::AndThen421 | Self::AndTheNext)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Scene {
    misdeed: Option<(Place, Deed)>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By Message-ID's left side: each body, dot included.
    bodies: HashMap<String, Vec<String>>,
    /// How often the misdeed of this scene was done.
    misdeeds: usize,
    /// The verbs that were heard in this scene.
    verbs: Vec<String>,
}

/// The server; its connections end when the scene changes.
#[derive(Clone)]
pub(super) struct Server {
    port: u16,
    scene: Arc<watch::Sender<Scene>>,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            scene: Arc::new(watch::channel(Scene::default()).0),
            seen: Arc::default(),
        };
        let stage = server.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let mut scene = stage.scene.subscribe();
                let seen = Arc::clone(&stage.seen);
                tokio::spawn(async move {
                    let play = *scene.borrow_and_update();
                    let conversation = Conversation { wire: BufReader::new(socket), play, seen };
                    select! {
                        biased;
                        _ = scene.changed() => {}
                        _ = conversation.hold() => {}
                    }
                });
            }
        });
        server
    }

    pub(super) fn url(&self, scheme: &str) -> Url {
        format!("{scheme}://bell:secret@localhost:{}", self.port).parse().unwrap()
    }

    /// From now on, on new connections; the others end.
    pub(super) fn misbehave(&self, place: Place, deed: Deed) {
        self.change(Scene { misdeed: Some((place, deed)) });
    }

    pub(super) fn behave(&self) {
        self.change(Scene::default());
    }

    fn change(&self, scene: Scene) {
        let mut seen = self.seen.lock().unwrap();
        (seen.misdeeds, seen.verbs) = (0, Vec::new());
        drop(seen);
        self.scene.send_replace(scene);
    }

    /// The bodies of a mail that came whole.
    pub(super) fn bodies(&self, mail: uuid::Uuid) -> Vec<String> {
        self.seen.lock().unwrap().bodies.get(&mail.to_string()).cloned().unwrap_or_default()
    }

    pub(super) fn misdeeds(&self) -> usize {
        self.seen.lock().unwrap().misdeeds
    }

    pub(super) fn verbs(&self) -> Vec<String> {
        self.seen.lock().unwrap().verbs.clone()
    }
}

struct Conversation {
    wire: BufReader<TcpStream>,
    play: Scene,
    seen: Arc<Mutex<Seen>>,
}

/// None: the conversation is over.
type Goes = Option<()>;

impl Conversation {
    async fn hold(mut self) -> Goes {
        self.wire.get_ref().set_nodelay(true).ok()?;
        self.reply(Place::Greeting).await?;
        self.before(Place::Ehlo).await?;
        loop {
            let line = self.line().await?;
            let verb = line.split_whitespace().next().unwrap_or_default().to_uppercase();
            self.seen.lock().unwrap().verbs.push(verb.clone());
            let place = match verb.as_str() {
                "EHLO" => Place::Ehlo,
                "STARTTLS" => Place::StartTls,
                "AUTH" => Place::Auth,
                "MAIL" => Place::Mail,
                "RCPT" => Place::Rcpt,
                "DATA" => Place::Data,
                _ => {
                    self.say(b"250 as you like\r\n").await?;
                    continue;
                }
            };
            self.reply(place).await?;
            let next = match place {
                Place::Data => Place::Dot,
                place => place.next(),
            };
            self.before(next).await?;
            if place == Place::Data && !self.refuses_data() {
                self.body().await?;
                self.reply(Place::Dot).await?;
            }
        }
    }

    /// The right answer.
    fn right(&self, place: Place) -> &'static [u8] {
        let tls = self.play.misdeed.is_some_and(|(place, _)| place == Place::StartTls);
        match place {
            Place::Greeting => b"220 here\r\n",
            Place::Ehlo if self.does(Place::Ehlo, Deed::OffersNothing) => b"250 here\r\n",
            Place::Ehlo if tls => b"250-here\r\n250 STARTTLS\r\n",
            Place::Ehlo => b"250-here\r\n250 AUTH PLAIN LOGIN\r\n",
            Place::StartTls => b"220 go ahead\r\n",
            Place::Auth => b"235 welcome\r\n",
            Place::Mail => b"250 sender\r\n",
            Place::Rcpt => b"250 recipient\r\n",
            Place::Data => b"354 go ahead\r\n",
            Place::Dot => b"250 queued\r\n",
        }
    }

    fn does(&self, place: Place, deed: Deed) -> bool {
        self.play.misdeed == Some((place, deed))
    }

    /// Hangs up before it is asked, if that is what it does; at the dot, in the middle of the body.
    async fn before(&mut self, place: Place) -> Goes {
        if !self.does(place, Deed::HangsUpUnasked) {
            return Some(());
        }
        if place == Place::Dot {
            self.wire.read_u8().await.ok()?;
        }
        self.note();
        None
    }

    fn refuses_data(&self) -> bool {
        self.does(Place::Data, Deed::WrongYes) || matches!(self.play.misdeed, Some((Place::Data, Deed::Says(_))))
    }

    fn note(&self) {
        self.seen.lock().unwrap().misdeeds += 1;
    }

    async fn reply(&mut self, place: Place) -> Goes {
        let right = self.right(place);
        let Some((_, deed)) = self.play.misdeed.filter(|(at, _)| *at == place) else { return self.say(right).await };
        if !(deed == Deed::HangsUpUnasked && place != Place::Greeting) {
            self.note();
        }
        match deed {
            Deed::Says(line) => self.say(line).await,
            Deed::SaysAndHangsUp(line) => self.say(line).await.and(None),
            Deed::WrongYes if place == Place::Data => self.say(b"250 ok\r\n").await,
            Deed::WrongYes if place == Place::Ehlo => self.say(b"354-here\r\n354 AUTH PLAIN\r\n").await,
            Deed::WrongYes => self.say(b"354 go ahead\r\n").await,
            Deed::LongLine => self.say(&[b"250 ", "x".repeat(100_000).as_bytes(), b"\r\n"].concat()).await,
            Deed::EndlessLines => loop {
                self.say("250-more and more of it, and no end to be seen in it at all\r\n".repeat(20).as_bytes())
                    .await?;
            },
            Deed::EndlessLine => loop {
                self.say(&[b'2'; 1_000]).await?;
            },
            Deed::Nothing => std::future::pending().await,
            Deed::DripsForEver => {
                self.say(b"250-").await?;
                loop {
                    self.say(b"x").await?;
                    sleep(Duration::from_millis(20)).await;
                }
            }
            Deed::Drips => {
                for byte in right {
                    self.say(&[*byte]).await?;
                    sleep(Duration::from_millis(1)).await;
                }
                Some(())
            }
            // To EHLO it would take back the offer of AUTH: there it is the last line that has no more than its code.
            Deed::BareCode if place == Place::Ehlo => self.say(b"250-here\r\n250-AUTH PLAIN LOGIN\r\n250\r\n").await,
            Deed::BareCode => self.say(&[&right[..3], b"\r\n"].concat()).await,
            Deed::HangsUp => None,
            Deed::Resets => {
                self.wire.get_ref().set_zero_linger().ok()?;
                None
            }
            Deed::Twice => self.say(&[right, right].concat()).await,
            Deed::AndThen421 => self.say(&[right, b"421 going away\r\n"].concat()).await.and(None),
            Deed::AndTheNext => {
                let next = match place {
                    Place::Data => Place::Dot,
                    // After the dot comes the next mail.
                    Place::Dot => Place::Mail,
                    place => place.next(),
                };
                self.say(&[right, self.right(next)].concat()).await
            }
            Deed::HangsUpUnasked if place == Place::Greeting => None,
            Deed::HangsUpUnasked | Deed::OffersNothing => self.say(right).await,
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> Goes {
        self.wire.get_mut().write_all(bytes).await.ok()
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.wire.read_line(&mut line).await.ok()?;
        (read > 0).then_some(line)
    }

    async fn body(&mut self) -> Goes {
        let mut body = String::new();
        while !body.ends_with("\r\n.\r\n") {
            body.push_str(&self.line().await?);
        }
        let id =
            body.lines().find_map(|line| line.strip_prefix("Message-ID: <")?.split('@').next()).unwrap().to_owned();
        self.seen.lock().unwrap().bodies.entry(id).or_default().push(body);
        Some(())
    }
}
