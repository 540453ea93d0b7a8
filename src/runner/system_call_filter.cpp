// What a sandboxed program may not ask of the kernel: making namespaces and mounts, reaching into other processes, the
// kernel's own settings and modules, keys, and whatever has been a way out of sandboxes before. Refused calls fail with
// EPERM, so programs that only try go on; clone3 fails with ENOSYS, because its flags lie in memory where a filter
// cannot see them and programs then use clone.
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "runner/sandbox.hpp"

namespace syncline::runner {
namespace {

constexpr std::array kRefused = {
    // namespaces and mounts
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    // the kernel itself
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "init_module",
    "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot", "syslog", "swapon",
    "swapoff", "acct", "quotactl", "quotactl_fd", "nfsservctl", "lookup_dcookie", "vm86", "vm86old", "modify_ldt",
    "iopl", "ioperm", "uselib", "_sysctl", "sysfs", "ustat",
    // files by number instead of by path
    "open_by_handle_at", "name_to_handle_at", "fanotify_init",
    // memory that no process shows as its own
    "memfd_create", "memfd_secret", "shmget",
    // keys, clocks, memory placement
    "add_key", "request_key", "keyctl", "settimeofday", "stime", "clock_settime", "clock_adjtime", "adjtimex",
    "move_pages", "migrate_pages", "mbind", "set_mempolicy", "vhangup", "sethostname", "setdomainname"};

constexpr int kFchmodat2 = 452;                     // the same on every architecture
constexpr std::uint64_t kTemporaryFile = 0x400000;  // __O_TMPFILE, without the directory flag that O_TMPFILE includes

struct FilterCloser {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterCloser>;

template <typename... Conditions>
bool refuse(const Filter& filter, const char* name, int error, Conditions... conditions) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return true;  // this architecture does not have it
  const int added = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), number,
                                     sizeof...(conditions), conditions...);
  return added == 0 || added == -EDOM;  // EDOM: known to the library, not to this architecture
}

scmp_arg_cmp argument(unsigned index, scmp_compare compare, scmp_datum_t a, scmp_datum_t b = 0) {
  return {index, compare, a, b};
}

/// Files that run as their owner would be the runner's user for whoever can reach the root from outside.
bool refuse_setuid_files(const Filter& filter) {
  bool ok = true;
  for (const std::uint64_t bit : {std::uint64_t{S_ISUID}, std::uint64_t{S_ISGID}}) {
    const auto has_bit = [bit](unsigned index) { return argument(index, SCMP_CMP_MASKED_EQ, bit, bit); };
    const auto makes = [](unsigned index, std::uint64_t flag) {
      return argument(index, SCMP_CMP_MASKED_EQ, flag, flag);
    };
    ok = ok && refuse(filter, "chmod", EPERM, has_bit(1)) && refuse(filter, "fchmod", EPERM, has_bit(1)) &&
         refuse(filter, "fchmodat", EPERM, has_bit(2)) && refuse(filter, "creat", EPERM, has_bit(1)) &&
         refuse(filter, "mknod", EPERM, has_bit(1)) && refuse(filter, "mknodat", EPERM, has_bit(2));
    for (const std::uint64_t flag : {std::uint64_t{O_CREAT}, std::uint64_t{kTemporaryFile}}) {
      ok = ok && refuse(filter, "open", EPERM, makes(1, flag), has_bit(2)) &&
           refuse(filter, "openat", EPERM, makes(2, flag), has_bit(3));
    }
  }
  // The mode of openat2 lies in memory; fchmodat2 is younger than the library that makes this filter.
  ok = ok && refuse(filter, "openat2", ENOSYS);
  const int added = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), kFchmodat2, 0);
  return ok && added == 0;
}

bool add_rules(const Filter& filter) {
  bool ok = true;
  for (const char* name : kRefused) ok = ok && refuse(filter, name, EPERM);
  constexpr std::uint64_t kLow = 0xFFFFFFFFU;
  for (const int flag :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP}) {
    const auto bit = static_cast<std::uint64_t>(flag);
    ok = ok && refuse(filter, "clone", EPERM, argument(0, SCMP_CMP_MASKED_EQ, bit, bit));
  }
  ok = ok && refuse(filter, "clone3", ENOSYS);
  for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}) {
    ok = ok && refuse(filter, "ioctl", EPERM, argument(1, SCMP_CMP_MASKED_EQ, kLow, request));
  }
  // Socket families beyond local ones, the Internet's and the kernel's routing tables (which getaddrinfo reads).
  for (int family = 0; family < 64; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    ok = ok && refuse(filter, "socket", EAFNOSUPPORT,
                      argument(0, SCMP_CMP_MASKED_EQ, kLow, static_cast<std::uint64_t>(family)));
  }
  ok = ok && refuse(filter, "socket", EAFNOSUPPORT, argument(0, SCMP_CMP_GE, 64));
  ok = ok &&
       refuse(filter, "socket", EPERM, argument(0, SCMP_CMP_MASKED_EQ, kLow, AF_NETLINK), argument(2, SCMP_CMP_NE, 0));
  ok = ok && refuse(filter, "personality", EPERM, argument(0, SCMP_CMP_NE, kLow));  // asking is allowed
  return ok && refuse_setuid_files(filter);
}

}  // namespace

Result<FileDescriptor> make_system_call_filter() {
  const auto failed = [] { return fail(ErrorCode::unavailable, "cannot create the system call filter"); };
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter || !add_rules(filter)) return failed();
  FileDescriptor file(::memfd_create("system-call-filter", MFD_CLOEXEC));
  if (!file.is_open() || seccomp_export_bpf(filter.get(), file.get()) != 0) return failed();
  return file;
}

}  // namespace syncline::runner
