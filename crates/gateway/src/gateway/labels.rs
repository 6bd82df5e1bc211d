//! What people call their devices: one reading of the data on user agents for all sites.

use std::sync::LazyLock;

use counterfoil::UserAgents;
use counterfoil_core::agent::DeviceLabels;

/// One reading of the data on user agents for all sites.
pub(super) struct Labels;

impl DeviceLabels for Labels {
    fn label(&self, user_agent: &[u8], platform_hint: Option<&[u8]>) -> Option<String> {
        // Without the data devices are still labelled, only with fewer names.
        USER_AGENTS.as_ref()?.label(user_agent, platform_hint)
    }
}

static USER_AGENTS: LazyLock<Option<UserAgents>> = LazyLock::new(|| {
    let told = |error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "devices are labelled without the data on user agents");
    };
    UserAgents::new().map_err(told).ok()
});
