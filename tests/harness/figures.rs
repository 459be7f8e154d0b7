use std::collections::BTreeMap;

/// What a process shows to a Prometheus.
#[derive(Debug)]
pub struct Figures {
    /// By name and labels, as they stand on the page.
    values: BTreeMap<String, f64>,
    /// All of it.
    pub page: String,
}

impl Figures {
    /// An address on which nobody listens yet, for `TASKBELL_METRICS_ADDRESS`.
    #[must_use]
    pub fn address() -> String {
        format!("127.0.0.1:{}", local::free_port().unwrap())
    }

    /// Reads them.
    pub async fn at(address: &str) -> Self {
        let url = format!("http://{address}/metrics");
        let answer = crate::eventually("figures are shown", async || reqwest::get(&url).await.ok()).await;
        assert_eq!(answer.status(), 200);
        let page = answer.text().await.unwrap();
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        let values = samples
            .map(|line| line.rsplit_once(' ').unwrap())
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
        Self { values: values.collect(), page }
    }

    /// One of them; 0 where nothing was counted.
    #[must_use]
    pub fn of(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or(0.0)
    }

    /// Whether it is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The names without labels, in their order, each once.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let described = self.page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let mut names: Vec<String> = described.map(ToOwned::to_owned).collect();
        names.sort_unstable();
        names
    }
}
