/*
 * What the process gives up before it reads its first byte. Once its sockets are bound: root, new
 * privileges, core dumps, new processes. Once libraries have opened what they need, where the
 * kernel has Landlock: every file but the page and the certificate, all writing, every new TCP
 * listener and every outgoing TCP connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/log.h"
#include "signaling/door/state.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static int drop_root(const char *user, char *why, size_t cap)
{
    if (geteuid() != 0 || !user || !user[0]) {
        return 0;
    }
    const struct passwd *pw = getpwnam(user);
    if (!pw) {
        (void)snprintf(why, cap, "there is no user %s: create it or name another one", user);
        return E_NOTFOUND;
    }
    /* The kernel forgets whose death ends us when we become somebody else. */
    int signal_of_parent = 0;
    pid_t parent = getppid();
    (void)prctl(PR_GET_PDEATHSIG, &signal_of_parent);
    uid_t uid = pw->pw_uid;
    gid_t gid = pw->pw_gid;
    if (initgroups(user, gid) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) {
        (void)snprintf(why, cap, "cannot become user %s (errno %d)", user, errno);
        return E_DENIED;
    }
    (void)prctl(PR_SET_PDEATHSIG, signal_of_parent);
    if (signal_of_parent && getppid() != parent) { /* it died just now */
        (void)raise(signal_of_parent);
    }
    return 0;
}

#ifdef SANITIZED
/* A sanitizer's report must read its own program. */
static bool restrict_self(const struct door *door)
{
    (void)door;
    return false;
}
#else
/* Newer than Debian 12's header, stable in the kernel (ABI 4). */
#define LANDLOCK_NET_BIND (1ULL << 0)
#define LANDLOCK_NET_CONNECT (1ULL << 1)

struct ruleset {
    uint64_t files;
    uint64_t net;
};

static void allow_beneath(int set, int dir)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = dir,
    };
    (void)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static void allow_folder(int set, const char *folder)
{
    int dir = open(folder, O_PATH | O_CLOEXEC);
    if (dir >= 0) {
        allow_beneath(set, dir);
        (void)close(dir);
    }
}

/*
 * The folder of a file, and the one a symbolic link leads to: certificate tools keep the files of
 * each renewal beside each other and turn a link.
 */
static void allow_folder_of(int set, const char *file)
{
    char copy[PATH_MAX];
    char target[PATH_MAX];
    int n = file ? snprintf(copy, sizeof(copy), "%s", file) : -1;
    if (n < 0 || (size_t)n >= sizeof(copy)) {
        return;
    }
    if (realpath(file, target)) {
        allow_folder(set, dirname(target));
    }
    allow_folder(set, dirname(copy));
}

static bool restrict_self(const struct door *door)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) {
        return false;
    }
    struct ruleset rules = {
        .files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, /* all of ABI 1 */
        .net = abi >= 4 ? LANDLOCK_NET_BIND | LANDLOCK_NET_CONNECT : 0,
    };
    size_t size = abi >= 4 ? sizeof(rules) : sizeof(rules.files);
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (set < 0) {
        return false;
    }
    /* By its descriptor: the path may lead through folders that only root may enter (/root). */
    allow_beneath(set, door->web_dir);
    allow_folder_of(set, door->config.cert_path);
    allow_folder_of(set, door->config.key_path);
    bool done = syscall(SYS_landlock_restrict_self, set, 0) == 0;
    (void)close(set);
    return done;
}
#endif

int sandbox_enter(const struct door_config *config, char *why, size_t cap)
{
    int err = drop_root(config->user, why, cap);
    if (err) {
        return err;
    }
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZED /* a leak check at the end needs a thread of its own */
    (void)setrlimit(RLIMIT_NPROC, &none);
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        (void)snprintf(why, cap, "cannot give up new privileges (errno %d)", errno);
        return E_DENIED;
    }
    return 0;
}

void sandbox_lock(const struct door *door)
{
    bool locked = restrict_self(door);
    log_info("door", "sandboxed", L_BOOL("landlock", locked), L_UINT("uid", geteuid()));
}
