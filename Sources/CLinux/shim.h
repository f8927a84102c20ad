#pragma once
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>

/// `prctl` is variadic, and Swift imports no variadic C function.
static inline int c_prctl(int option, unsigned long argument) {
    return prctl(option, argument, 0UL, 0UL, 0UL);
}

/// Names the calling thread; the kernel keeps 15 bytes.
static inline void c_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0UL, 0UL, 0UL);
}

/// Lets the calling thread not interrupt whoever wakes it (sched(7)). Where the system forbids that it stays as it is.
static inline void c_schedule_as_batch(void) {
    const struct sched_param none = {0};
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
}
