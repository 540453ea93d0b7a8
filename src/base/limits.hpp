// The limits that the faces share, each with its reason. A limit of one API is in limits.hpp of its face's folder.
// docs/limits.md lists them all for users.
#pragma once

#include <cstddef>
#include <cstdint>

namespace syncline::limits {

// What is stored (wire: docs/api/native.md)
inline constexpr std::size_t kRecordIdBytesMax = 512;
inline constexpr std::size_t kNameBytesMax = 128;              // of collections
inline constexpr std::size_t kSpaceNameBytesMax = 512;         // 100 letters of any script, and what stands before them
inline constexpr std::size_t kDocumentBytesMax = 16UL << 20U;  // one document
inline constexpr int kDocumentDepthMax = 64;
inline constexpr int kBodyDepthMax = 72;              // the document's 64 and room for what wraps it
inline constexpr int kCheckedDepthMax = 16'384;       // deeper text is not judged part by part: no encoder writes it
inline constexpr std::size_t kCollectionsMax = 4096;  // of a space; a position of the key index
inline constexpr std::size_t kSharesMax = 1000;    // of an account with others: they are listed and counted as a whole
inline constexpr std::size_t kKeySpacesMax = 100;  // that a key can be limited to: they are read with the key

// Requests
inline constexpr std::size_t kHeaderBytesMax = 16UL << 10U;
inline constexpr std::size_t kBodyBytesDefault = 1UL << 20U;
inline constexpr std::size_t kBodyBytesLarge = 64UL << 20U;  // pushes and state uploads
inline constexpr std::size_t kBodyBytesAi = 8UL << 20U;      // a conversation with its tools
inline constexpr std::size_t kPushOpsMax = 5000;
inline constexpr std::size_t kPageRecordsMax = 5000;
inline constexpr std::size_t kPageRecordsDefault = 500;
/// A page ends with the record that exceeds it: readers hold a page in memory.
inline constexpr std::size_t kPageBytesMax = 32UL << 20U;
/// Less than the minute after which nginx and other proxies end a request that got no byte of an answer.
inline constexpr std::int64_t kWaitSecondsMax = 50;
/// Bodies are read into memory: what all of them take, and those of one account. One body of the largest kind fits into
/// a share beside smaller ones; more would let one account keep the others waiting.
inline constexpr std::size_t kBodiesBytesMax = 512UL << 20U;
inline constexpr std::size_t kBodiesShareBytesMax = 96UL << 20U;
/// What an account gets even if others have taken everything.
inline constexpr std::size_t kBodiesGrantedBytes = 1UL << 20U;
/// A chunk of a streamed answer: large enough for the disk, small enough for a thousand readers.
inline constexpr std::size_t kStreamChunkBytes = 256UL << 10U;
inline constexpr std::size_t kIdempotencyKeyBytesMax = 256;
inline constexpr std::int64_t kIdempotencySeconds = 24LL * 3600;

// Connections
inline constexpr std::size_t kConnectionsMax = 20'000;
inline constexpr std::int64_t kHeaderTimeoutMs = 15'000;  // from the first byte of a request to the end of its header
inline constexpr std::int64_t kIdleTimeoutMs = 120'000;   // between requests
inline constexpr std::int64_t kBodyTimeoutMs = 30'000;    // without a byte of progress
inline constexpr std::int64_t kBodyTotalMs = 15LL * 60'000;
/// On the average, after kBodyTimeoutMs: slower than any network that a person would wait for.
inline constexpr std::int64_t kBodyBytesPerSecondMin = 4LL << 10U;
inline constexpr std::int64_t kWriteTimeoutMs = 30'000;  // without a byte of progress
inline constexpr std::int64_t kDrainMs = 10'000;         // what SIGTERM grants to requests in progress
inline constexpr std::int64_t kAuthMessageMs = 5'000;    // a WebSocket's first message
inline constexpr std::int64_t kPingIntervalMs = 30'000;
inline constexpr std::size_t kWebSocketMessageBytesMax = 64UL << 10U;
inline constexpr std::size_t kWatchedSpacesMax = 256;  // per socket or event stream
inline constexpr std::size_t kSpacesKeptMax =
    10'000;  // that a node keeps in sync with one hub, for a hub invents names

// What other servers answer, in bytes after decompression: an answer is held in memory until it is complete
inline constexpr std::size_t kAnswerHeadBytesMax = 64UL
                                                   << 10U;  // of all headers, also those before and after the answer
inline constexpr std::size_t kErrorAnswerBytesMax = 64UL << 10U;  // of an answer that reports an error; the rest is cut
inline constexpr std::size_t kErrorTextBytesMax = 1000;           // of another server's words, in our messages and logs
inline constexpr std::size_t kAnswerBytesDefault = 1UL << 20U;    // an account, a status, a verdict
/// A document of the largest kind, and what wraps it.
inline constexpr std::size_t kAnswerBytesDocument = kDocumentBytesMax + (1UL << 20U);
/// A list of spaces, of some hundred bytes each.
inline constexpr std::size_t kAnswerBytesSpaces = 16UL << 20U;
/// The largest page: kPageBytesMax, one more document, and what wraps them. More would need as much memory.
inline constexpr std::size_t kAnswerBytesPage = 64UL << 20U;

// Merge
inline constexpr std::int64_t kClockAheadMicrosMax = 5LL * 60 * 1'000'000;
inline constexpr std::size_t kUnionItemsMax = 500;

// The machine's clock (core/clock_trust.hpp)
inline constexpr std::int64_t kClockStepMicrosMax = 3600LL * 1'000'000;           // while the process runs
inline constexpr std::int64_t kClockGapMicrosMax = 30LL * 86'400 * 1'000'000;     // from one process to the next
inline constexpr std::int64_t kClockAgreementMicros = 3600LL * 1'000'000;         // of devices with the clock
inline constexpr std::int64_t kEarliestTimeMicros = 1'767'225'600LL * 1'000'000;  // 2026-01-01: before the program

// Store
inline constexpr std::size_t kGroupWritesMax = 1024;         // writes that share a transaction
inline constexpr std::size_t kWriteQueueMax = 65'536;        // beyond: "busy", retry
inline constexpr std::int64_t kWalSoftBytes = 32LL << 20U;   // a background checkpoint begins
inline constexpr std::int64_t kWalHardBytes = 192LL << 20U;  // the writer itself stops to checkpoint
inline constexpr std::int64_t kHistoryDays = 30;
inline constexpr std::int64_t kTombstoneDays = 180;
inline constexpr std::size_t kHistoryVersionsShown = 100;
/// Openings of the store that are remembered of a space. More: devices that were away for longer need not begin anew.
inline constexpr std::size_t kIncarnationsMax = 256;

// Audit log
inline constexpr std::int64_t kAuditDays = 400;
inline constexpr std::int64_t kAuditEntriesMax = 1'000'000;  // however many acts a day there are

// Wiping
inline constexpr std::int64_t kWipeUndoDays = 7;  // history is kept at least that long

// Webhooks
inline constexpr std::size_t kWebhooksMax = 50;                     // of an account
inline constexpr std::int64_t kDeliveryLogDays = 30;                // finished deliveries are kept so long
inline constexpr std::int64_t kSecretOverlapHours = 24;             // both secrets sign after a rotation
inline constexpr std::size_t kWebhookAnswerBytesMax = 64UL << 10U;  // more of an answer is not read

}  // namespace syncline::limits
