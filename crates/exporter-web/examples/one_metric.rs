//! Serves one metric: `cargo run -p exporter-web --example one_metric -- web.yml`.
use std::error::Error;
use std::sync::Arc;

use exporter_web::{Answer, CancellationToken, Format, Metrics, Options, Request, Site};
use exporter_web::{Listener, WebConfig, serve};

struct OneMetric;

impl Site for OneMetric {
    fn metrics(&self, _: &Request<'_>, format: Format, _gzip: bool) -> Result<Metrics, Answer> {
        let end = match format {
            Format::OpenMetrics => "# EOF\n",
            Format::Text => "",
        };
        Ok(Metrics::plain(format!("# TYPE answer gauge\nanswer 42\n{end}")))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::new("one-metric");
    if let Some(file) = std::env::args_os().nth(1) {
        let web = WebConfig::load(file.as_ref());
        options.web = Some(web.map_err(|mistakes| mistakes.join("\n"))?);
    }
    let listeners = vec![Listener::bind(&":9999".parse()?).await?];
    Ok(serve(listeners, Arc::new(OneMetric), options, CancellationToken::new()).await?)
}
