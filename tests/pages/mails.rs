//! The mails that lead to the pages, as a program shows them that shows HTML.

use harness::{Browser, TestApp, Window};
use url::Url;

use crate::{
    people::{invite, sign_up},
    standards::assert_contrast,
};

#[tokio::test]
async fn a_mail_reads_well_on_a_phone_and_in_the_dark() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    sign_up(&app, "ada@example.org", "Ada").await;
    invite(&app, &team.owner, "zoe@example.org", "member").await;
    let mut browser = Browser::start().await;
    browser.forbid_scripts().await;
    for (email, name) in [("ada@example.org", "verification"), ("zoe@example.org", "invitation")] {
        let html = app.mail_to(email).await.html().unwrap();
        let mut page = Url::parse("data:text/html;charset=utf-8,").unwrap();
        page.set_path(&format!("text/html;charset=utf-8,{}", html.replace('%', "%25").replace('#', "%23")));
        browser.open(&page).await;
        for (window, size) in [(Window::PHONE, "phone"), (Window::DESKTOP, "desktop")] {
            browser.resize(window).await;
            for (dark, scheme) in [(true, "dark"), (false, "light")] {
                browser.prefer_dark(dark).await;
                assert!(browser.overhang().await <= 0, "{name} must be scrolled sideways");
                assert_contrast(name, &browser.texts().await, 4.5);
                browser.picture(&format!("mail-{name}-{size}-{scheme}")).await;
            }
        }
        let button = browser.targets().await.remove(0);
        assert!(button.height >= 44.0, "{name}: {button:?} is hard to hit");
    }
    worker.stop().await;
}
