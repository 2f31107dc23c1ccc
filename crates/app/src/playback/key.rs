//! The key that signs playback tokens: one for the instance, its public half published for origins.

use backends::{
    blob::{Blobs, names},
    clock::Clock,
};
use bytes::Bytes;
use domain::playback_token::Minter;
use sha2::{Digest, Sha256};
use store::{Store, secrets};

use crate::{Error, Result};

/// Name of the secret that holds the seed (RFC 8032 §5.1.5), hex.
const SEED: &str = "playback-token-seed";

/// Reads or makes the key and publishes its public half as `keys/playback/{kid}.json`.
pub async fn ready(store: &Store, blobs: &Blobs, clock: &Clock) -> Result<Minter> {
    let candidate = hex::encode(rand::random::<[u8; 32]>());
    let mut tx = store.begin().await?;
    let seed = secrets::get_or_create(&mut tx, SEED, &candidate, clock.now()).await?;
    tx.commit().await?;
    let mut bytes = [0_u8; 32];
    hex::decode_to_slice(&seed, &mut bytes).map_err(|e| Error::Internal(format!("secret {SEED}: {e}")))?;
    let minter = Minter::from_seed(&bytes);
    publish(blobs, &minter).await?;
    Ok(minter)
}

async fn publish(blobs: &Blobs, minter: &Minter) -> Result<()> {
    let key = minter.public_key();
    let kid = hex::encode(&Sha256::digest(key)[..8]);
    let json = serde_json::json!({ "alg": "Ed25519", "public_key": hex::encode(key) }).to_string();
    blobs.put(&names::playback_key(&kid), Bytes::from(json)).await?;
    Ok(())
}
