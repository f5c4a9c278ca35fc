// generator: sends requests over loopback and says how long the answers took; or takes what is sent.
#include "generator.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int usage(void) {
    fputs("generator play PORT PLAN ROUNDS              each connection plays its requests, one after the other\n"
          "generator paced PORT PLAN PERIOD_US SECONDS  each connection sends one request a period\n"
          "generator live PORT CONNECTIONS HEARD PERIOD_US PIECE_BYTES BLOCK_BYTES SECONDS\n"
          "                                             each connection sends one chunked body, a piece a period\n"
          "generator hold PORT CONNECTIONS PERIOD_US PIECE_BYTES SECONDS\n"
          "                                             the same for a while, and then nothing until its input ends\n"
          "generator drain BUFFER_BYTES                 receives into one buffer; answers a byte at the end\n"
          "generator sink                               answers 204 to every request\n"
          "generator forked FOLDER                      a process a connection, which writes what it is sent\n",
          stderr);
    return 2;
}

// A thousand connections need more descriptors than the usual soft limit.
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    if (argc < 2) return usage();
    const char *mode = argv[1];
    if (!strcmp(mode, "play") && argc == 5) return play(atoi(argv[2]), argv[3], atol(argv[4]));
    if (!strcmp(mode, "paced") && argc == 6) return paced(atoi(argv[2]), argv[3], atol(argv[4]), atof(argv[5]));
    if (!strcmp(mode, "live") && argc == 9)
        return live(atoi(argv[2]), (size_t)atol(argv[3]), (size_t)atol(argv[4]), atol(argv[5]), (size_t)atol(argv[6]),
                    (size_t)atol(argv[7]), atof(argv[8]));
    if (!strcmp(mode, "hold") && argc == 7)
        return hold(atoi(argv[2]), (size_t)atol(argv[3]), atol(argv[4]), (size_t)atol(argv[5]), atof(argv[6]));
    if (!strcmp(mode, "drain") && argc == 3) return drain((size_t)atol(argv[2]));
    if (!strcmp(mode, "sink") && argc == 2) return sink();
    if (!strcmp(mode, "forked") && argc == 3) return forked(argv[2]);
    return usage();
}
