//! A real browser: headless Chromium, as Debian packages it.

mod look;
mod wire;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    thread::sleep,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

pub use look::{Mark, Target};
use wire::Wire;

use crate::services;

/// What to type when there is no browser.
const ADVICE: &str = "the pages are tested in a real browser, and there is none: sudo apt-get install -y chromium";

/// Where Debian and others put it.
const PROGRAMS: [&str; 4] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// No sandbox, since containers and root have none to give: it opens nothing but our own pages. The rest keeps it from
/// talking to anybody else.
const OPTIONS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
];

/// A browser with one window, of one test. It and its profile are gone when this is dropped.
pub struct Browser {
    process: Child,
    profile: PathBuf,
    wire: Wire,
    window: Window,
    status: u16,
}

/// Width and height of a window, and whether fingers work it.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    width: u32,
    height: u32,
    mobile: bool,
}

impl Window {
    /// On a desk.
    pub const DESKTOP: Self = Self { width: 1280, height: 800, mobile: false };
    /// In a hand; a page that does not say `width=device-width` is laid out for 980 pixels here, as phones do.
    pub const PHONE: Self = Self { width: 375, height: 667, mobile: true };
    /// The narrowest that still counts, which is also a desktop at 400 % (WCAG 1.4.10).
    pub const NARROW: Self = Self { width: 320, height: 256, mobile: true };
}

impl Browser {
    /// Starts one, with a window as on a desk, in light colours, with scripts.
    ///
    /// # Panics
    /// When there is no Chromium; says what to type.
    pub async fn start() -> Self {
        let program = PROGRAMS.iter().map(Path::new).find(|path| path.is_file()).expect(ADVICE);
        let profile = services::directory().join(format!("browser-{}", Uuid::now_v7().simple()));
        fs::create_dir_all(&profile).unwrap();
        let mut options: Vec<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
        options.push(format!("--user-data-dir={}", profile.display()));
        let (process, wire) = Wire::start(program, &options);
        let mut browser = Self { process, profile, wire, window: Window::DESKTOP, status: 0 };
        browser.open_window().await;
        browser
    }

    async fn open_window(&mut self) {
        let target = self.wire.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.wire.call("Target.attachToTarget", attach).await;
        self.wire.enter(session["sessionId"].as_str().unwrap());
        for domain in ["Page", "Network", "Runtime", "Log", "DOM", "Accessibility"] {
            self.wire.call(&format!("{domain}.enable"), json!({})).await;
        }
        self.wire.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true })).await;
        self.resize(Window::DESKTOP).await;
    }

    /// Gives the window another size.
    pub async fn resize(&mut self, window: Window) {
        self.window = window;
        let Window { width, height, mobile } = window;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": mobile });
        self.wire.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Prefers dark colours from now on, or light ones.
    pub async fn prefer_dark(&mut self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.wire.call("Emulation.setEmulatedMedia", media).await;
    }

    /// Runs no script of any page from now on.
    ///
    /// # Panics
    /// When one runs all the same: a test that means to do without scripts must.
    pub async fn forbid_scripts(&mut self) {
        self.wire.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
        let page = "data:text/html,<title>none ran</title><script>document.title = 'one ran'</script>";
        self.open(&Url::parse(page).unwrap()).await;
        assert_eq!(self.title().await, "none ran");
    }

    /// Opens a page, waits until it is there with all that it loads, and gives its status.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn open(&mut self, url: &Url) -> u16 {
        let since = self.wire.events().len();
        let page = self.wire.call("Page.navigate", json!({ "url": url })).await;
        assert!(page["errorText"].is_null(), "{url}: {page}");
        self.loaded(since, &page["loaderId"]).await
    }

    /// Clicks on something that leads to another page, waits for that, and gives its status.
    pub async fn follow(&mut self, selector: &str) -> u16 {
        let since = self.wire.events().len();
        self.click(selector).await;
        self.arrived(since).await
    }

    /// Presses Enter where it leads to another page, waits for that, and gives its status.
    pub async fn enter(&mut self) -> u16 {
        let since = self.wire.events().len();
        self.press("Enter", 13, "\r").await;
        self.arrived(since).await
    }

    /// The status of the page that is shown.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Presses and releases the mouse on the middle of an element.
    ///
    /// # Panics
    /// When there is no such element, or it has no size.
    pub async fn click(&mut self, selector: &str) {
        let node = self.find(selector).await.unwrap_or_else(|| panic!("there is no {selector}"));
        self.wire.call("DOM.scrollIntoViewIfNeeded", json!({ "nodeId": node })).await;
        // A page may still be scrolling: whoever clicks waits until what they click on stands still, for some frames.
        let (mut before, mut still) = (Value::Null, 0);
        let quads = crate::eventually("it stands still", async || {
            let now = self.wire.call("DOM.getContentQuads", json!({ "nodeId": node })).await;
            still = if now == before { still + 1 } else { 0 };
            before = now.clone();
            (still == 5).then_some(now)
        })
        .await;
        let corner = |index: usize| quads["quads"][0][index].as_f64().unwrap();
        let (x, y) = (f64::midpoint(corner(0), corner(4)), f64::midpoint(corner(1), corner(5)));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.wire.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Replaces what stands in a field by typing.
    pub async fn fill(&mut self, selector: &str, text: &str) {
        self.click(selector).await;
        let select = format!("document.querySelector({}).select()", json!(selector));
        self.evaluate(&select).await;
        self.type_text(text).await;
    }

    /// Types where the focus is.
    pub async fn type_text(&mut self, text: &str) {
        self.wire.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses the tabulator.
    pub async fn tab(&mut self) {
        self.press("Tab", 9, "").await;
    }

    /// Whether a page has such an element.
    pub async fn has(&mut self, selector: &str) -> bool {
        self.find(selector).await.is_some()
    }

    /// The title of the page.
    pub async fn title(&mut self) -> String {
        self.evaluate("document.title").await.as_str().unwrap().to_owned()
    }

    /// The visible text of an element.
    ///
    /// # Panics
    /// When there is no such element.
    pub async fn text(&mut self, selector: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({})?.innerText", json!(selector))).await;
        text.as_str().unwrap_or_else(|| panic!("there is no {selector}")).to_owned()
    }

    /// An attribute of an element.
    pub async fn attribute(&mut self, selector: &str, name: &str) -> Option<String> {
        let (selector, name) = (json!(selector), json!(name));
        let value = self.evaluate(&format!("document.querySelector({selector})?.getAttribute({name})")).await;
        value.as_str().map(str::to_owned)
    }

    /// The address of the page that is shown.
    pub async fn address(&mut self) -> String {
        self.evaluate("location.href").await.as_str().unwrap().to_owned()
    }

    /// What a script of ours makes of the page; works also where the page's own are forbidden.
    ///
    /// # Panics
    /// When the script throws.
    pub async fn evaluate(&mut self, script: &str) -> Value {
        let params = json!({ "expression": script, "returnByValue": true });
        let mut result = self.wire.call("Runtime.evaluate", params).await;
        assert!(result["exceptionDetails"].is_null(), "{script}: {}", result["exceptionDetails"]);
        result["result"]["value"].take()
    }

    /// Every address that was asked for so far, those of pages included.
    #[must_use]
    pub fn asked_for(&self) -> Vec<String> {
        let requests = self.wire.events().iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        requests.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// What the browser found wrong with the pages so far: the console's lines, and what a policy kept back.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let heard =
            |event: &&Value| event["method"] == "Log.entryAdded" || event["method"] == "Runtime.consoleAPICalled";
        // A page that is a refusal is meant to be one.
        let meant = |text: &String| text.contains("the server responded with a status of");
        // It says by the way that a page has set the focus already.
        let by_the_way = |event: &&Value| event["params"]["entry"]["level"] == "info";
        let heard = self.wire.events().iter().filter(heard).filter(|event| !by_the_way(event));
        let texts = heard.map(|event| event["params"].to_string());
        texts.filter(|text| !meant(text)).collect()
    }

    /// Keeps a picture of the whole page as `target/pages/NAME.png`, for people to look at.
    pub async fn picture(&mut self, name: &str) {
        let directory = services::directory().join("../../target/pages");
        fs::create_dir_all(&directory).unwrap();
        let size = self.wire.call("Page.getLayoutMetrics", json!({})).await["cssContentSize"].take();
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let whole = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.wire.call("Page.captureScreenshot", whole).await;
        let bytes = BASE64_STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        fs::write(directory.join(format!("{name}.png")), bytes).unwrap();
    }

    async fn find(&mut self, selector: &str) -> Option<u64> {
        let document = self.wire.call("DOM.getDocument", json!({ "depth": 0 })).await;
        let query = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
        let found = self.wire.call("DOM.querySelector", query).await;
        found["nodeId"].as_u64().filter(|node| *node != 0)
    }

    async fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.wire.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Waits for the page that something has led to.
    async fn arrived(&mut self, since: usize) -> u16 {
        let next = |method: &Value, params: &Value| {
            let ours = method == "Page.frameNavigated" && params["frame"]["parentId"].is_null();
            ours.then(|| params["frame"]["loaderId"].clone())
        };
        let loader = self.wire.event(since, "another page", next).await;
        self.loaded(since, &loader).await
    }

    async fn loaded(&mut self, since: usize, loader: &Value) -> u16 {
        let load = |method: &Value, params: &Value| {
            let ours = method == "Page.lifecycleEvent" && params["loaderId"] == *loader;
            (ours && params["name"] == "load").then_some(())
        };
        self.wire.event(since, "the page is loaded", load).await;
        let status = |method: &Value, params: &Value| {
            let ours = method == "Network.responseReceived" && params["loaderId"] == *loader;
            if ours && params["type"] == "Document" { params["response"]["status"].as_u64() } else { None }
        };
        let status = self.wire.event(since, "the page's status", status).await;
        self.status = u16::try_from(status).unwrap();
        self.status
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Its children end a moment later, and may still write.
        for _ in 0..200 {
            if fs::remove_dir_all(&self.profile).is_ok() || !self.profile.exists() {
                return;
            }
            sleep(Duration::from_millis(10));
        }
    }
}
