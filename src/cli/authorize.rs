//! `pollen authorize`: has a person authorize an instance.

mod answers;
mod patience;
mod place;
mod words;

use std::{fmt::Display, path::PathBuf, process::ExitCode};

use clap::Args;

use self::{answers::Answers, patience::patiently, place::Place};
use super::{
    environment::{STEADY, block_on, environment},
    output,
};
use crate::{
    api::Duration,
    fleet::{Authorization, Environment, InstanceSettings},
    network::AddressRule,
    provider::auth::RedirectUri,
};

const EXAMPLES: &str = "\
The redirect URI must be registered with the provider, letter by letter. If it is a loopback address
(http://127.0.0.1:8400/callback), the answer is received there; without a port a free one is taken. If
it is elsewhere, or the browser runs on another machine, paste the address that the browser was led to.

Exit codes:
  0  authorized, and the refresh token is stored
  1  the provider refused, no answer came in time, or the token cannot be stored
  2  the arguments or the manifests are invalid

Examples:
  pollen authorize helpdesk/servicenow-prod
  pollen authorize helpdesk/servicenow-prod --redirect-uri http://127.0.0.1:8400/callback
  pollen authorize manifests/
  pollen authorize manifests/ --instance servicenow-prod --state /var/lib/pollen";

/// Has a person authorize an instance, and stores the refresh token where Pollen finds it.
///
/// Shows an address to open in a browser. There somebody logs in as the user that Pollen is to act
/// for; the code that the provider answers with is exchanged at once. In a cluster the refresh token
/// becomes the entry refreshToken of the Secret that the instance names, written by the rights of your
/// own kubeconfig. For a folder of manifests it goes into the state folder.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Authorize {
    /// An instance of the cluster as NAMESPACE/INSTANCE, or a folder or file of manifests.
    #[arg(value_name = "NAMESPACE/INSTANCE|PATH")]
    target: String,
    /// The ConnectorInstance among several in the manifests: NAME or NAMESPACE/NAME.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Another redirect URI that is registered with the provider [default: the instance's
    /// spec.authentication.redirectUri].
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<RedirectUri>,
    /// How long the answer is waited for.
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    wait: Duration,
    /// The state folder of `pollen local` [default: PATH/.pollen].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// A private address range that the provider may lie in, such as 127.0.0.0/8; plain http is
    /// allowed there too. May be repeated.
    #[arg(long, value_name = "CIDR[:PORT][@NAMESPACE]")]
    allow_address: Vec<AddressRule>,
}

/// What ended the command, and how it exits.
#[derive(Debug)]
struct Ended {
    texts: Vec<String>,
    exit: ExitCode,
}

impl Ended {
    fn failed(error: impl ToString) -> Self {
        Self {
            texts: vec![error.to_string()],
            exit: output::FAILED,
        }
    }

    fn invalid(error: impl ToString) -> Self {
        Self {
            texts: vec![error.to_string()],
            exit: output::invalid(),
        }
    }
}

impl Authorize {
    pub(super) fn run(mut self) -> ExitCode {
        let allowed = std::mem::take(&mut self.allow_address);
        match environment(allowed, STEADY) {
            Ok(environment) => block_on(self.authorize(environment)),
            Err(error) => output::complain(error),
        }
    }

    async fn authorize(self, environment: Environment) -> ExitCode {
        match self.authorized(&environment).await {
            Ok(text) => output::print(text),
            Err(ended) => {
                ended
                    .texts
                    .iter()
                    .for_each(|text| output::note("error", text));
                ended.exit
            }
        }
    }

    async fn authorized(self, environment: &Environment) -> Result<String, Ended> {
        let place = Place::open(&self, environment).await?;
        Authorization::is_due(place.settings())
            .map_err(|error| of_instance(place.settings(), &error))?;
        let redirect_uri = self.redirect_uri(place.settings())?;
        let answers = Answers::open(redirect_uri).await.map_err(Ended::failed)?;
        let prepared =
            Authorization::prepare(place.settings(), answers.redirect_uri(), environment);
        let authorization = prepared
            .await
            .map_err(|error| of_instance(place.settings(), &error))?;
        output::print(words::request(
            &authorization,
            answers.is_listening(),
            self.wait,
        ));
        let code = answers
            .code(authorization.request(), self.wait.0)
            .await
            .map_err(Ended::failed)?;
        let exchange = async || authorization.exchange(&code).await;
        let exchanged = patiently(exchange, Authorization::may_be_exchanged_again).await;
        let authorized = exchanged.map_err(Ended::failed)?;
        let ends = authorized.expires_at;
        let kept = place.keep(&authorization, authorized, environment).await?;
        Ok(words::done(&kept, ends))
    }

    fn redirect_uri(&self, settings: &InstanceSettings) -> Result<RedirectUri, Ended> {
        if let Some(uri) = &self.redirect_uri {
            return Ok(uri.clone());
        }
        let uri = settings
            .spec
            .authentication
            .redirect_uri
            .as_deref()
            .unwrap_or_default();
        uri.parse().map_err(|error| {
            let error = format!("spec.authentication.redirectUri: {error}");
            of_instance(settings, &error)
        })
    }
}

/// Something wrong with the instance, which is named.
fn of_instance(settings: &InstanceSettings, error: &dyn Display) -> Ended {
    let InstanceSettings {
        namespace, name, ..
    } = settings;
    Ended::invalid(format!("ConnectorInstance {namespace}/{name}: {error}"))
}
