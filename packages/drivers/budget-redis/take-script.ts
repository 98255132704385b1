/**
 * A token bucket per host, and until when the host is paused. All processes go by the clock of Redis; one that goes back gives nothing and takes nothing.
 * Fields: `tokens` at the time `at`; `until` (when a pause ends) and `asked` (how long it was). Both answer in milliseconds.
 */
export const TAKE = `
local rate, burst = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'until', 'asked')
local left = math.min((tonumber(state[3]) or 0) - now, tonumber(state[4]) or 0)
if left > 0 then return left end
local tokens = math.min(burst, (tonumber(state[1]) or burst) + math.max(0, now - (tonumber(state[2]) or now)) * rate)
if tokens < 1 then return math.ceil((1 - tokens) / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - 1), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate) + 1000)
return 0
`;

/** A pause is only ever made longer. */
export const PAUSE = `
local asked = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local left = math.min((tonumber(redis.call('HGET', KEYS[1], 'until')) or 0) - now, tonumber(redis.call('HGET', KEYS[1], 'asked')) or 0)
if asked <= left then return left end
redis.call('HSET', KEYS[1], 'until', now + asked, 'asked', asked)
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), asked) + 1000)
return asked
`;
