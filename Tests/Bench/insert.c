/* The least that taking events can cost: the rows of events and of one delivery each, committed, through MariaDB's C client.
 *
 *   insert SOCKET USER PASSWORD CONNECTIONS SECONDS EVENTS
 *
 * Each connection writes EVENTS events and as many deliveries in one transaction, again and again; prints events a second.
 * The tables are copies of the hub's own. The yardstick of `make bench` for what the hub accepts.
 */
#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char **arguments;
static int events;
static double end;
static atomic_long accepted;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* An id as the hub makes them: the time, then chance. */
static char *id(char *to) {
    struct timespec time;
    unsigned char chance[10];
    clock_gettime(CLOCK_REALTIME, &time);
    if (getrandom(chance, sizeof chance, 0) != sizeof chance) abort();
    to += sprintf(to, "0x%012llx", time.tv_sec * 1000ULL + time.tv_nsec / 1000000);
    for (size_t place = 0; place < sizeof chance; place++) to += sprintf(to, "%02x", chance[place]);
    return to;
}

static void run(MYSQL *client, const char *text, size_t length) {
    if (mysql_real_query(client, text, length) == 0) return;
    fprintf(stderr, "%s\n", mysql_error(client));
    exit(1);
}

static void *insert(void *unused) {
    (void)unused;
    MYSQL *client = mysql_init(NULL);
    if (!mysql_real_connect(client, NULL, arguments[2], arguments[3], "hub", 0, arguments[1], 0)) {
        fprintf(stderr, "%s\n", mysql_error(client));
        exit(1);
    }
    char sealed[501];
    memset(sealed, 'a', 500);
    sealed[500] = 0;
    char *first = malloc(events * 1000 + 1000), *second = malloc(events * 400 + 1000);
    while (now() < end) {
        char *to = first + sprintf(first, "INSERT INTO bench_events (id, organization_id, fingerprint, type, source, body_sealed,"
                                          " body_bytes, deliveries, occurred_at, created_at) VALUES ");
        char *also = second + sprintf(second, "INSERT INTO bench_deliveries (id, organization_id, webhook_id, event_id, sequence,"
                                              " type, next_at, created_at) VALUES ");
        for (int number = 0; number < events; number++) {
            char event[64];
            id(event);
            to += sprintf(to, "%s(%s, REPEAT('o', 16), REPEAT('f', 32), 'custom.bench', 'api', 0x%s, 200, 1, NOW(6), NOW(6))",
                          number ? ", " : "", event, sealed);
            also += sprintf(also, "%s(", number ? ", " : "");
            also = id(also);
            also += sprintf(also, ", REPEAT('o', 16), REPEAT('w', 16), %s,"
                                  " (SELECT sequence FROM bench_events WHERE id = %s), 'custom.bench', NOW(6), NOW(6))",
                            event, event);
        }
        run(client, "START TRANSACTION", 17);
        run(client, first, to - first);
        run(client, second, also - second);
        run(client, "COMMIT", 6);
        accepted += events;
    }
    mysql_close(client);
    return NULL;
}

int main(int count, const char **given) {
    if (count != 7) return 2;
    arguments = given;
    int connections = atoi(given[4]);
    double began = now();
    end = began + atof(given[5]);
    events = atoi(given[6]);
    mysql_library_init(0, NULL, NULL);
    pthread_t threads[connections];
    for (int number = 0; number < connections; number++) pthread_create(&threads[number], NULL, insert, NULL);
    for (int number = 0; number < connections; number++) pthread_join(threads[number], NULL);
    printf("%.1f\n", accepted / (now() - began));
    return 0;
}
