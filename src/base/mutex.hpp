// Mutexes, locks and condition variables of the standard library with the annotations of clang's thread-safety
// analysis, which libstdc++'s own lack: clang proves at compile time that a member is touched only under its mutex.
// g++ sees no annotation, and every call is the standard library's, inlined.
//
//   GUARDED_BY(mutex_)      a member: read and written only while the mutex is held
//   PT_GUARDED_BY(mutex_)   a pointer: what it points at is guarded so
//   REQUIRES(mutex_)        a function: its caller holds the mutex
//   EXCLUDES(mutex_)        a function: its caller must not hold the mutex, for the function takes it, or calls out
//
// The analysis does not follow calls through std::function and lambdas: a lambda that needs the mutex carries REQUIRES
// itself, and a wait is a loop over a plain condition instead of a predicate.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#ifdef __clang__
#define THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define THREAD_ANNOTATION(attribute)
#endif

#define CAPABILITY(name) THREAD_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(mutex) THREAD_ANNOTATION(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) THREAD_ANNOTATION(pt_guarded_by(mutex))
#define REQUIRES(...) THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))

namespace syncline {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { native_.lock(); }
  [[nodiscard]] bool try_lock() TRY_ACQUIRE(true) { return native_.try_lock(); }
  void unlock() RELEASE() { native_.unlock(); }

 private:
  friend class CondVar;
  friend class StoppableCondVar;
  std::mutex native_;
};

/// Many readers or one writer.
class CAPABILITY("mutex") SharedMutex {
 public:
  void lock() ACQUIRE() { native_.lock(); }
  void unlock() RELEASE() { native_.unlock(); }
  void lock_shared() ACQUIRE_SHARED() { native_.lock_shared(); }
  void unlock_shared() RELEASE_SHARED() { native_.unlock_shared(); }

 private:
  std::shared_mutex native_;
};

/// A thread that holds it may take it again.
class CAPABILITY("mutex") RecursiveMutex {
 public:
  void lock() ACQUIRE() { native_.lock(); }
  void unlock() RELEASE() { native_.unlock(); }

 private:
  std::recursive_mutex native_;
};

/// Holds a mutex of any of these kinds, alone, until its end or unlock().
template <typename AnyMutex>
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(AnyMutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  /// The thread holds the mutex already, from try_lock().
  MutexLock(AnyMutex& mutex, std::adopt_lock_t) REQUIRES(mutex) : mutex_(mutex) {}
  ~MutexLock() RELEASE() {
    if (is_held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() RELEASE() {
    mutex_.unlock();
    is_held_ = false;
  }
  void lock() ACQUIRE() {
    mutex_.lock();
    is_held_ = true;
  }

 private:
  AnyMutex& mutex_;
  bool is_held_ = true;
};

/// Holds a SharedMutex together with other readers.
class SCOPED_CAPABILITY SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) ACQUIRE_SHARED(mutex) : mutex_(mutex) { mutex_.lock_shared(); }
  ~SharedLock() RELEASE_GENERIC() { mutex_.unlock_shared(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

 private:
  SharedMutex& mutex_;
};

using Deadline = std::chrono::steady_clock::time_point;

/// Every wait may end for no reason: wait in a loop over the condition.
///
///     while (queue_.empty()) arrived_.wait(mutex_);
///     while (!done_ && changed_.wait_until(mutex_, deadline)) {}
class CondVar {
 public:
  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock held(mutex.native_, std::adopt_lock);
    changed_.wait(held);
    held.release();
  }
  /// False once the deadline has passed.
  bool wait_until(Mutex& mutex, Deadline deadline) REQUIRES(mutex) {
    std::unique_lock held(mutex.native_, std::adopt_lock);
    const bool in_time = changed_.wait_until(held, deadline) == std::cv_status::no_timeout;
    held.release();
    return in_time;
  }
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

 private:
  std::condition_variable changed_;
};

/// A CondVar whose waits also end when a stop is requested. It costs a second mutex: use CondVar where nothing stops.
class StoppableCondVar {
 public:
  /// False once a stop is requested.
  bool wait(Mutex& mutex, const std::stop_token& stop) REQUIRES(mutex) {
    changed_.wait(mutex.native_, stop, Once());
    return !stop.stop_requested();
  }
  /// False once a stop is requested or the deadline has passed.
  bool wait_until(Mutex& mutex, const std::stop_token& stop, Deadline deadline) REQUIRES(mutex) {
    changed_.wait_until(mutex.native_, stop, deadline, Once());
    return !stop.stop_requested() && Deadline::clock::now() < deadline;
  }
  bool wait_until(Mutex& mutex, Deadline deadline) REQUIRES(mutex) {
    return changed_.wait_until(mutex.native_, deadline) == std::cv_status::no_timeout;
  }
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

 private:
  /// A predicate for one wait: the standard library waits for a stop only with one.
  struct Once {
    bool has_waited = false;
    bool operator()() { return std::exchange(has_waited, true); }
  };

  std::condition_variable_any changed_;
};

}  // namespace syncline
