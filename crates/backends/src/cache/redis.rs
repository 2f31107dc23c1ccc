//! Places in Redis or Valkey: a sorted set of holders by the end of their places, and a hash of their notes. Scripts make each
//! step one (Redis `EVAL`), so that no two processes take the same place.

use std::time::Duration;

use domain::Micros;
use redis::{
    Client, FromRedisValue, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use super::{Config, Error, Place, Result, Taken};

/// A server that does not answer for so long is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// What each script begins with: places that have ended are no longer there. `KEYS`: the set, the notes; `ARGV[1]`: now.
const PRESENT: &str = "
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end
local function list()
  local found = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  local told = {}
  for i = 1, #found, 2 do
    table.insert(told, found[i])
    table.insert(told, redis.call('HGET', KEYS[2], found[i]) or '')
    table.insert(told, found[i + 1])
  end
  return told
end
local function hold(holder, till)
  redis.call('ZADD', KEYS[1], till, holder)
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
  local left = math.ceil((tonumber(last) - tonumber(ARGV[1])) / 1000) + 60000
  redis.call('PEXPIRE', KEYS[1], left)
  redis.call('PEXPIRE', KEYS[2], left)
end
";
/// `ARGV`: now, holder, end, limit, note. Nothing: taken.
const TAKE: &str = "
if not redis.call('ZSCORE', KEYS[1], ARGV[2]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
  return list()
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[5])
hold(ARGV[2], ARGV[3])
return false
";
/// `ARGV`: now, holder, end.
const RENEW: &str = "
if not redis.call('ZSCORE', KEYS[1], ARGV[2]) then return 0 end
hold(ARGV[2], ARGV[3])
return 1
";
/// `ARGV`: now.
const LIST: &str = "return list()";
/// `ARGV`: holder.
const LEAVE: &str = "
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
";

pub(super) struct Redis {
    connection: ConnectionManager,
    prefix: String,
    take: Script,
    renew: Script,
    list: Script,
    leave: Script,
}

impl Redis {
    pub fn open(config: &Config) -> Result<Self> {
        let client = Client::open(config.url.as_str()).map_err(|_| Error::Address(hidden(&config.url)))?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let connection = client.get_connection_manager_lazy(settings).map_err(away)?;
        let present = |rest: &str| Script::new(&format!("{PRESENT}{rest}"));
        Ok(Self {
            connection,
            prefix: config.prefix.clone(),
            take: present(TAKE),
            renew: present(RENEW),
            list: present(LIST),
            leave: Script::new(LEAVE),
        })
    }

    pub async fn take(&self, group: &str, place: &Place, limit: usize, now: Micros) -> Result<Taken> {
        let limit = limit.min(1 << 31).to_string();
        let arguments = [&now.0.to_string(), &place.holder, &place.until.0.to_string(), &limit, &place.note];
        let held: Option<Vec<String>> = self.run(&self.take, group, &arguments.map(String::as_str)).await?;
        Ok(held.map_or(Taken::Yes, |held| Taken::Full(listed(held))))
    }

    pub async fn renew(&self, group: &str, holder: &str, now: Micros, until: Micros) -> Result<bool> {
        self.run(&self.renew, group, &[&now.0.to_string(), holder, &until.0.to_string()]).await
    }

    pub async fn leave(&self, group: &str, holder: &str) -> Result<bool> {
        self.run(&self.leave, group, &[holder]).await
    }

    pub async fn places(&self, group: &str, now: Micros) -> Result<Vec<Place>> {
        Ok(listed(self.run(&self.list, group, &[&now.0.to_string()]).await?))
    }

    pub async fn ping(&self) -> Result<()> {
        redis::cmd("PING").exec_async(&mut self.connection.clone()).await.map_err(away)
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, group: &str, arguments: &[&str]) -> Result<T> {
        // In braces: a cluster keeps what is named alike in one place.
        let name = |kind: &str| format!("{}:{kind}:{{{group}}}", self.prefix);
        let mut call = script.prepare_invoke();
        call.key(name("places")).key(name("notes"));
        for argument in arguments {
            call.arg(*argument);
        }
        call.invoke_async(&mut self.connection.clone()).await.map_err(away)
    }
}

/// Holder, note and end, one after the other.
fn listed(told: Vec<String>) -> Vec<Place> {
    let mut told = told.into_iter();
    std::iter::from_fn(|| {
        let (holder, note, until) = (told.next()?, told.next()?, told.next()?);
        // Scores are written as floating point numbers; 2^53 microseconds are the year 2255.
        let until = until.parse::<f64>().ok()? as i64;
        Some(Place { holder, note, until: Micros(until) })
    })
    .collect()
}

fn away(error: RedisError) -> Error {
    Error::Unavailable(error.to_string())
}

/// An address without its password.
fn hidden(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    }
}
