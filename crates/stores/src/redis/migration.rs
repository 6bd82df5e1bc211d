//! Raising the format in which sessions are written: for an operator, once every node runs a version that reads it.

use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::Format;

use super::address::Address;
use super::checks;
use super::line::Line;
use super::{OpenError, Settings};

/// In which format sessions are written there; nothing where there are none yet. Changes nothing.
///
/// # Errors
/// [`OpenError`] where no node could start.
pub async fn format(address: &str, sealer: &Sealer, settings: &Settings) -> Result<Option<Format>, OpenError> {
    let (mut line, address) = reach(address, settings).await?;
    found(&mut line, &address, sealer, settings).await
}

/// Has all nodes write sessions in the latest format from now on; those that run notice within a second or two. Nothing that
/// lies there is changed: it is read as ever, and written anew when it next changes. A node of a version that does not know
/// the format cannot start any more, and answers that records in it cannot be read. Whether anything was done.
///
/// # Errors
/// [`OpenError`]; nothing was changed then.
pub async fn migrate(address: &str, sealer: &Sealer, settings: &Settings) -> Result<bool, OpenError> {
    let (mut line, address) = reach(address, settings).await?;
    let (place, to) = (&address.place, Format::LATEST);
    let server = |cause| OpenError::server(place, cause);
    let from = match found(&mut line, &address, sealer, settings).await? {
        None => {
            let claimed = checks::claim(&mut line, &settings.prefix, &sealer.clone().writing(to)).await;
            return claimed.map_err(server)?.ours(place, &settings.prefix).map(|format| format == to);
        }
        Some(format) if format == to => return Ok(false),
        Some(format) => format,
    };
    // Where somebody else was faster, it is done as well.
    let raised = checks::raise(&mut line, &settings.prefix, sealer, (from, to)).await.map_err(server)?;
    if raised && !is_kept(&mut line, settings).await.map_err(server)? {
        tracing::warn!(at = %place, "no replica has noted the new format yet; after a failover, ask for its migration again");
    }
    Ok(raised)
}

async fn reach(address: &str, settings: &Settings) -> Result<(Line, Address), OpenError> {
    settings.check()?;
    let address = Address::parse(address)?;
    let dialled = address.dial(settings).await.map_err(|cause| OpenError::server(&address.place, cause))?;
    let mut line = dialled.plain;
    checks::check(&mut line, &address).await?;
    Ok((line, address))
}

async fn found(
    line: &mut Line,
    address: &Address,
    sealer: &Sealer,
    settings: &Settings,
) -> Result<Option<Format>, OpenError> {
    let claim = checks::look(line, &settings.prefix, sealer).await;
    let claim = claim.map_err(|cause| OpenError::server(&address.place, cause))?;
    claim.map(|claim| claim.ours(&address.place, &settings.prefix)).transpose()
}

/// Whether a failover keeps what was noted.
async fn is_kept(line: &mut Line, settings: &Settings) -> redis::RedisResult<bool> {
    if !checks::role(line).await?.replicas {
        return Ok(true);
    }
    let mut wait = redis::cmd("WAIT");
    wait.arg(1).arg(PATIENCE_MILLIS);
    let have = line.beside(checks::meta(&settings.prefix).as_bytes(), &wait).await?;
    Ok(matches!(have, redis::Value::Int(have) if have > 0))
}

/// How long is waited for a replica.
const PATIENCE_MILLIS: u64 = 500;
