# Greets an abstract socket as a daemon would, and says what comes back:
#   perl hello.pl NAME VERSION
use strict;
use warnings;
use Socket;

my ($name, $version) = @ARGV;
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { print "silence\n"; exit 0 };
alarm 20;

sub attribute { my ($key, $value) = @_; pack('vv', $key, length $value) . $value }

my $attributes =
    attribute(1, pack('Q<', 2))                  # role: daemon
  . attribute(2, $version)
  . attribute(27, $version)                      # of the R package
  . attribute(3, "abstract://$name")
  . attribute(4, join('', map { chr } 1 .. 16))  # instance
  . attribute(5, pack('Q<', $$))
  . attribute(6, 'localhost');
my $hello = pack('v C C V Q< x32', 0x6B54, 1, 1, length $attributes, 0) . $attributes;

socket(my $stream, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
my $connected = connect($stream, pack_sockaddr_un("\0$name"));
if (!$connected) { print "cannot connect: $!\n"; exit 0 }
syswrite $stream, $hello;
my $got = sysread $stream, my $answer, 4096;
if (defined $got && $got > 3) { printf "answered with a frame of type %d\n", ord substr $answer, 3, 1 }
elsif (defined $got && $got > 0) { print "answered with $got bytes\n" }
else { print "refused without a byte\n" }
