// The tables of keys.h, and nothing else.
#include <vector>

#include "launcher/profile/keys.h"

namespace tenkai {
namespace {

using enum KeyType;

const std::vector<ProfileKey> profile_table = {
    {"inherits", word, "", "base", "the profile whose values hold where this one says nothing"},
    {"daemons", count, "", "8", "how many daemons `daemons()` starts, if it is not told"},
    {"url", url, "", "wss://:0", "where daemons connect; no host: every interface, port 0: any free port"},
    {"interface", word, "", "ib0", "the network interface to listen at, in place of `url`"},
    {"scheme",
     choice,
     "",
     "wss",
     "how daemons connect, where `url` does not say; `wss`, or `ws` with `tls: no`, where one port does for "
     "all",
     {"tcp", "ws", "tls+tcp", "wss"}},
    {"port", ports, "", "60000-61000",
     "the port to listen at, or a range to choose from, where `url` does not say"},
    {"tls", flag, "yes", "no", "whether the connections of other machines are encrypted"},
    {"launcher",
     choice,
     "local",
     "slurm",
     "how daemons are started; where there is a `url` and this is not said, by hand",
     {"local", "ssh", "command", "slurm", "mpi"}},

    {"ssh.remotes", words, "", "[ssh://node1, ssh://node2:2222]",
     "the machines, one daemon each time it is named"},
    {"ssh.tunnel", flag, "no", "yes", "whether daemons connect back through the SSH connection"},
    {"ssh.timeout", duration, "10s", "30s", "how long a machine may take to answer"},
    {"ssh.client", text, "", "/usr/bin/ssh", "the OpenSSH client to use, in place of the library"},
    {"ssh.config", text, "", "~/.ssh/config", "the configuration of SSH"},

    {"command.program", text, "", "srun", "the program that starts a daemon"},
    {"command.args", texts, "", "[-n1, .]", "its arguments; `.` stands for the daemon's command"},
    {"command.quote", flag, "yes", "no", "whether the daemon's command is one argument, quoted for a shell"},

    {"slurm.partition", word, "", "gpu", "`--partition`"},
    {"slurm.account", word, "", "proj42", "`--account`"},
    {"slurm.qos", word, "", "normal", "`--qos`"},
    {"slurm.time", time, "", "1:30:00",
     "`--time`: minutes, minutes:seconds, hours:minutes:seconds, days-hours"},
    {"slurm.mem", memory, "", "16G", "`--mem`, for each node"},
    {"slurm.mem-per-cpu", memory, "", "4G", "`--mem-per-cpu`, in place of `slurm.mem`"},
    {"slurm.cpus-per-task", count, "", "4", "`--cpus-per-task`: processors of one daemon"},
    {"slurm.gpus-per-task", word, "", "a100:1", "`--gpus-per-task`: graphics processors of one daemon"},
    {"slurm.nodes", count, "", "2", "one job over so many nodes, in place of an array of chunks"},
    {"slurm.array-chunk", count, "", "4", "how many daemons share one element of the job array"},
    {"slurm.signal", word, "", "B:USR1@60",
     "`--signal`: a notice so many seconds before the end, and up to 60 more; arrays need the `B:`"},
    {"slurm.options", words, "", "[--exclusive]", "further options of `sbatch`"},
    {"slurm.job-tag",
     choice,
     "name",
     "comment",
     "where Slurm keeps the tag by which a session knows its jobs: in their names or, where a site wants "
     "names of its own, in their comments",
     {"name", "comment"}},
    {"slurm.template", text, "", "gpu.sbatch", "the template of the job script, in place of ours"},

    {"slurm.logs", text, "", "~/tenkai-logs",
     "a folder in which the log of each job and of each daemon stays; else they are removed with the "
     "session"},

    {"slurm.task-logs", flag, "no", "yes",
     "with `slurm.logs`: what each task writes stands in a file of its own, too; `m$usage` has its number"},

    {"mpi.listen",
     choice,
     "loopback",
     "all",
     "at which addresses Open MPI may listen, which knows nothing but all: with `loopback` it is only run "
     "where "
     "there are no others",
     {"loopback", "all"}},
    {"mpi.program", text, "mpirun", "/opt/openmpi/bin/mpirun", "the program that starts MPI programs"},
    {"mpi.options", texts, "", "[--hostfile, hosts]", "its further options"},

    {"environment.modules", words, "", "[R/4.3, gcc]", "modules to load, in this order"},
    {"environment.conda", text, "", "stats", "the conda environment to activate, by name or path"},
    {"environment.spack", words, "", "[r, r-tenkai]", "Spack packages to load"},
    {"environment.apptainer", text, "", "image.sif", "the Apptainer image to run R in"},
    {"environment.renv", text, "", "~/project", "the renv project to use"},
    {"environment.rscript", text, "Rscript", "/opt/R/bin/Rscript", "the program that runs R"},
    {"environment.lib-paths", texts, "", "[/group/R]", "folders to put before R's `.libPaths()`"},
    {"environment.variables.*", text, "", "TMPDIR: /scratch", "an environment variable"},
    {"environment.working-directory", text, "", "~/project", "the folder that R starts in"},
    {"environment.prologue", script, "", "ulimit -c 0", "shell code to run before R, as it stands"},

    {"scale.min", count, "0", "1", "there are never fewer daemons; 0: none while there is nothing to do"},
    {"scale.max", count, "", "50",
     "as many daemons as there is work for, up to so many, in place of `daemons`; with `launcher: slurm`"},
    {"scale.backlog", number, "1", "2", "so many waiting tasks ask for one more daemon"},
    {"scale.idle", duration, "5min", "10min",
     "daemons of which there are more than are needed go after so long without a task; if not said, "
     "`limits.idletime`"},

    {"threads", threads, "auto", "4",
     "threads of one daemon, for `OMP_NUM_THREADS` and the BLAS; `auto`: as many as it has processors, "
     "`none`: not set"},

    {"bring", flag, "yes", "no",
     "with `launcher: ssh`, `command` and `slurm`: whether tenkai is brought along to a machine that has "
     "none, or another version"},

    {"limits.idletime", duration, "", "5min",
     "a daemon ends after so long without a task; with `launcher: slurm` 5min, if not said. With `scale` "
     "those go that are not needed"},
    {"limits.walltime", duration, "", "2h", "a daemon ends after so long"},
    {"limits.maxtasks", count, "", "100", "a daemon ends after so many tasks"},
    {"limits.memory", memory, "", "2G",
     "a daemon that has more memory, with all that it has started, is killed; the cause is `oom`"},

    {"retries.default", count, "2", "0",
     "how often a task is tried again whose daemon died by no fault of the task"},
    {"retries.killed.times", count, "", "1", "the same, where a signal from outside has ended it"},
    {"retries.killed.exclude_node", flag, "no", "yes",
     "whether later jobs are kept off the node on which that happened"},
    {"retries.lost.times", count, "", "1", "how often, where its connection was lost"},
    {"retries.lost.exclude_node", flag, "no", "yes", "as for `killed`"},
    {"retries.preempted", count, "", "5", "how often, where its job was preempted"},
    {"retries.node_fail.times", count, "", "1", "how often, where its node has failed"},
    {"retries.node_fail.exclude_node", flag, "no", "yes", "as for `killed`"},
    {"retries.time_limit.times", count, "", "1", "how often, where its job ran out of time"},
    {"retries.time_limit.time", factor, "", "x2",
     "by what `slurm.time` is multiplied each time, for the job in which it is tried again"},
    {"retries.job_cancelled", count, "", "0", "how often, where somebody has cancelled its job"},
    {"retries.oom.times", count, "0", "1", "how often, where it ran out of memory"},
    {"retries.oom.mem", factor, "", "x2",
     "by what `slurm.mem` or `slurm.mem-per-cpu`, and `limits.memory`, are multiplied each time, for the job "
     "in which it is tried "
     "again"},
    {"retries.segfault", count, "0", "1", "how often, where it crashed"},
    {"retries.limit", count, "0", "1", "how often, where it met a limit of processor time or file size"},
    {"retries.quit", count, "0", "1", "how often, where the task has ended it"},
};

const std::vector<ProfileKey> cap_table = {
    {"daemons", count, "", "1000", "the most daemons that one profile may have"},
    {"submissions-per-minute", count, "", "4", "the most jobs that a session may submit in a minute"},
    {"ports", ports, "", "60000-61000", "the only ports that may be listened at"},
};

}  // namespace

ProfileKeys profile_keys() { return profile_table; }
ProfileKeys cap_keys() { return cap_table; }

}  // namespace tenkai
