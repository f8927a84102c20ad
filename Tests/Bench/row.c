/* The least that keeping a token can cost: one row, committed, through MariaDB's C client.
 *
 *   row SOCKET USER PASSWORD CONNECTIONS SECONDS
 *
 * Each connection writes one row after the other, each by itself; prints rows a second. The table, bench_access_tokens, is a
 * copy of the hub's own, and the rows are like its own. The yardstick of `make bench` for the tokens that the hub issues.
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
static double end;
static atomic_long written;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static char *hex(char *to, size_t count) {
    unsigned char chance[32];
    if (getrandom(chance, count, 0) != (ssize_t)count) abort();
    for (size_t place = 0; place < count; place++) to += sprintf(to, "%02x", chance[place]);
    return to;
}

static void *insert(void *unused) {
    (void)unused;
    MYSQL *client = mysql_init(NULL);
    if (!mysql_real_connect(client, NULL, arguments[2], arguments[3], "hub", 0, arguments[1], 0)) {
        fprintf(stderr, "%s\n", mysql_error(client));
        exit(1);
    }
    char text[600];
    while (now() < end) {
        /* An id as the hub makes them: the time, then chance. */
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        char *to = text + sprintf(text, "INSERT INTO bench_access_tokens (id, app_id, grant_id, token_hash, scopes, resources,"
                                        " expires_at) VALUES (0x%012llx",
                                  time.tv_sec * 1000ULL + time.tv_nsec / 1000000);
        to = hex(to, 10);
        to += sprintf(to, ", REPEAT('a', 16), NULL, 0x");
        to = hex(to, 32);
        to += sprintf(to, ", 'connections:read', '', '2038-01-01 00:00:00.000000')");
        if (mysql_real_query(client, text, to - text) != 0) {
            fprintf(stderr, "%s\n", mysql_error(client));
            exit(1);
        }
        written++;
    }
    mysql_close(client);
    return NULL;
}

int main(int count, const char **given) {
    if (count != 6) return 2;
    arguments = given;
    int connections = atoi(given[4]);
    double began = now();
    end = began + atof(given[5]);
    mysql_library_init(0, NULL, NULL);
    pthread_t threads[connections];
    for (int number = 0; number < connections; number++) pthread_create(&threads[number], NULL, insert, NULL);
    for (int number = 0; number < connections; number++) pthread_join(threads[number], NULL);
    printf("%.1f\n", written / (now() - began));
    return 0;
}
