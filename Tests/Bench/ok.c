/* The least that a FastCGI program can do with libfcgi: "ok", from PROCESSES × THREADS accepting threads.
 *
 *   ok SOCKET PROCESSES THREADS
 *
 * The yardstick of `make bench`: as many processes and threads as the hub has workers and lanes.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int listening;

static void *serve(void *unused) {
    (void)unused;
    FCGX_Request request;
    FCGX_InitRequest(&request, listening, 0);
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n", request.out);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    int processes = atoi(arguments[2]), threads = atoi(arguments[3]);
    FCGX_Init();
    listening = FCGX_OpenSocket(arguments[1], 511);
    if (listening < 0 || chmod(arguments[1], 0666) != 0) return 1;
    for (int process = 0; process < processes; process++) {
        if (fork() != 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int thread = 1; thread < threads; thread++) {
            pthread_t started;
            pthread_create(&started, NULL, serve, NULL);
        }
        serve(NULL);
        return 0;
    }
    while (wait(NULL) > 0) {}
    return 0;
}
