"""Compiled from telemetry.yaml by `otel-bridge compile`; do not edit."""

DIGEST = "a4efd4aa7ab7ef22"
PRODUCT = 'shop'
PACKAGE = 'shop'
FAMILY = 'shop'
DISTRIBUTION = 'otel-bridge-example-shop'
VERSION = '1.4.0'
ENDPOINT = 'http://127.0.0.1:4318'
DEFAULT = 'opt_in'
NOTICE = 'It tells the authors of shop which of its routes are used, and how long they take.'
DOCUMENTATION = 'https://example.org/shop/telemetry'
IDENTITY = 'none'
RESOLUTION = 60
NAMES = {}
RESOURCE = (('app.installation.id', 'string', 'identifier', ('period',), 0),
 ('host.arch', 'string', 'enum', ('\namd64\narm32\narm64\nia64\nppc32\nppc64\nriscv64\ns390x\nx86\n', '__other__'), 0),
 ('os.name', 'string', 'enum',
  ('\n'
   'almalinux\n'
   'alpine\n'
   'amzn\n'
   'arch\n'
   'centos\n'
   'debian\n'
   'fedora\n'
   'gentoo\n'
   'linuxmint\n'
   'manjaro\n'
   'nixos\n'
   'opensuse-leap\n'
   'opensuse-tumbleweed\n'
   'pop\n'
   'rhel\n'
   'rocky\n'
   'sles\n'
   'ubuntu\n'
   'void\n'
   'wolfi\n',
   '__other__'),
  0),
 ('os.type', 'string', 'enum', ('\naix\ndarwin\nfreebsd\nlinux\nnetbsd\nopenbsd\nsolaris\nwindows\n', '__other__'), 0),
 ('otel_bridge.agent', 'string', 'enum',
  ('\nantigravity\naugment\nclaude\ncline\ncodex\ncursor\ngemini\ngoose\nopencode\nother\npi\nqwen\nroo\n',
   '__other__'),
  0),
 ('otel_bridge.ci', 'string', 'enum',
  ('\n'
   'agola\n'
   'appcenter\n'
   'appcircle\n'
   'appveyor\n'
   'azure\n'
   'bamboo\n'
   'bitbucket\n'
   'bitrise\n'
   'buddy\n'
   'buildkite\n'
   'circleci\n'
   'cirrus\n'
   'cloudflare\n'
   'codebuild\n'
   'codefresh\n'
   'codemagic\n'
   'drone\n'
   'earthly\n'
   'expo\n'
   'gitea\n'
   'github\n'
   'gitlab\n'
   'gocd\n'
   'harness\n'
   'jenkins\n'
   'netlify\n'
   'other\n'
   'prow\n'
   'render\n'
   'screwdriver\n'
   'semaphore\n'
   'teamcity\n'
   'travis\n'
   'vela\n'
   'vercel\n'
   'woodpecker\n'
   'xcode\n',
   '__other__'),
  0),
 ('process.runtime.name', 'string', 'enum', ('\ncpython\ngraalpy\npypy\n', '__other__'), 0),
 ('process.runtime.version', 'string', 'version', (2, ''), 0),
 ('service.name', 'string', 'enum', ('\nshop\n', '__other__'), 0), ('service.version', 'string', 'version', (3, ''), 0),
 ('os.version', 'string', 'version', (1, 'os.name'), 0))
SPAN = (('error.type', 'string', 'enum',
  ('\n'
   'Abort\n'
   'ArithmeticError\n'
   'AssertionError\n'
   'AttributeError\n'
   'BrokenPipeError\n'
   'ConnectionError\n'
   'EOFError\n'
   'FileExistsError\n'
   'FileNotFoundError\n'
   'ImportError\n'
   'IndexError\n'
   'IsADirectoryError\n'
   'KeyError\n'
   'KeyboardInterrupt\n'
   'MemoryError\n'
   'ModuleNotFoundError\n'
   'NoSuchCommand\n'
   'NotADirectoryError\n'
   'NotImplementedError\n'
   'OSError\n'
   'OverflowError\n'
   'PermissionError\n'
   'RecursionError\n'
   'RuntimeError\n'
   'SIGABRT\n'
   'SIGALRM\n'
   'SIGBUS\n'
   'SIGFPE\n'
   'SIGHUP\n'
   'SIGILL\n'
   'SIGINT\n'
   'SIGKILL\n'
   'SIGPIPE\n'
   'SIGQUIT\n'
   'SIGSEGV\n'
   'SIGSYS\n'
   'SIGTERM\n'
   'SIGTRAP\n'
   'SIGUSR1\n'
   'SIGUSR2\n'
   'SIGXCPU\n'
   'SIGXFSZ\n'
   'SyntaxError\n'
   'TimeoutError\n'
   'TypeError\n'
   'UnicodeDecodeError\n'
   'UnicodeEncodeError\n'
   'UsageError\n'
   'ValueError\n'
   'ZeroDivisionError\n',
   '_OTHER'),
  0),
 ('otel_bridge.command', 'string', 'enum', ('\n', '__other__'), 0),
 ('otel_bridge.options', 'string[]', 'enum', ('\n', '__other__'), 0),
 ('otel_bridge.sequence', 'int', 'count', (1000000,), 0),
 ('process.executable.name', 'string', 'enum', ('\n', '__other__'), 0),
 ('process.exit.code', 'int', 'count', (255,), 0), ('session.id', 'string', 'identifier', ('session',), 0))
COMMON = (('otel_bridge.command', 'string', 'enum', ('\n', '__other__'), 0),
 ('otel_bridge.sequence', 'int', 'count', (1000000,), 0), ('session.id', 'string', 'identifier', ('session',), 0))
EVENTS = {'canary': (),
 'deletion.request': (('otel_bridge.deletion.ids', 'string[]', 'identifier', ('period',), 0),),
 'shop.order': (('shop.items', 'int', 'bucket', ((1, 3, 10, 100),), 0),
                ('shop.payment', 'string', 'enum', ('\ncard\ninvoice\n', '__other__'), 0)),
 'telemetry.dropped': (('otel_bridge.dropped.count', 'int', 'count', (1000000000,), 0),
                       ('otel_bridge.dropped.reason', 'string', 'enum',
                        ('\n'
                         'busy\n'
                         'disk_full\n'
                         'ledger\n'
                         'malformed\n'
                         'record_failed\n'
                         'refused\n'
                         'rejected\n'
                         'renamed_build\n'
                         'spool_full\n'
                         'too_old\n'
                         'torn\n'
                         'undeclared_attribute\n'
                         'undeclared_event\n'
                         'undeclared_span\n'
                         'unfinished\n'
                         'unwritable\n',
                         '__other__'),
                        0))}
COMMANDS = {}
SPANS = {'shop.price': ('internal', '', (('shop.items', 'int', 'bucket', ((1, 3, 10, 100),), 0),)),
 'shop.request': ('server', 'opentelemetry.instrumentation.fastapi',
                  (('http.request.method', 'string', 'enum', ('\nGET\nPOST\n', '_OTHER'), 0),
                   ('http.response.status_code', 'int', 'count', (599,), 0),
                   ('http.route', 'string', 'enum', ('\n/orders\n/orders/{number}\n', '__other__'), 0)))}
ABOUT = ('{"attributes":{"app.installation.id":{"brief":"A random id of the product on this machine, another one every period, '
 'none in continuous integration.","category":"platform","owner":"otel-bridge","purpose":"How many installations are '
 'there, and which of them are new?"},"error.type":{"brief":"The class of the exception that ended the run, or the '
 'signal, when it is a listed one; a mistake on the command line is a '
 'UsageError.","category":"reliability","owner":"otel-bridge","purpose":"What makes commands '
 'fail?"},"host.arch":{"brief":"The processor '
 'architecture.","category":"platform","owner":"otel-bridge","purpose":"Which platforms must '
 'work?"},"http.request.method":{"brief":"The method of a request, when it is a common '
 'one.","category":"interaction","owner":"telemetry@example.org","purpose":"Which routes are '
 'used?"},"http.response.status_code":{"brief":"The status that was '
 'answered.","category":"reliability","owner":"telemetry@example.org","purpose":"Which routes '
 'fail?"},"http.route":{"brief":"The route, as the program names it; never the path that was asked '
 'for.","category":"interaction","owner":"telemetry@example.org","purpose":"Which routes are '
 'used?"},"os.name":{"brief":"The distribution, as `ID` of os-release says '
 'it.","category":"platform","owner":"otel-bridge","purpose":"Which platforms must work?"},"os.type":{"brief":"The '
 'operating system.","category":"platform","owner":"otel-bridge","purpose":"Which platforms must '
 'work?"},"os.version":{"brief":"The major version of the distribution, only when its name is a listed '
 'one.","category":"platform","owner":"otel-bridge","purpose":"Which platforms must '
 'work?"},"otel_bridge.agent":{"brief":"The AI agent that started the run, when one '
 'did.","category":"platform","owner":"otel-bridge","purpose":"Is this a person or a '
 'machine?"},"otel_bridge.ci":{"brief":"The continuous-integration service, when the run was in '
 'one.","category":"platform","owner":"otel-bridge","purpose":"Is this a person or a '
 'machine?"},"otel_bridge.command":{"brief":"The path of sub-commands that ran, never their '
 'arguments.","category":"interaction","owner":"otel-bridge","purpose":"Which commands are '
 'used?"},"otel_bridge.deletion.ids":{"brief":"The installation ids whose records are to be '
 'deleted.","category":"deletion","owner":"otel-bridge","purpose":"Whose records have to be '
 'deleted?"},"otel_bridge.dropped.count":{"brief":"How many records were dropped for this reason since it was last '
 'told.","category":"reliability","owner":"otel-bridge","purpose":"How much of what happened is missing here, and '
 'why?"},"otel_bridge.dropped.reason":{"brief":"Why records were dropped, as `otel-bridge lost` has '
 'it.","category":"reliability","owner":"otel-bridge","purpose":"How much of what happened is missing here, and '
 'why?"},"otel_bridge.options":{"brief":"The names of the options that the person set, never their '
 'values.","category":"interaction","owner":"otel-bridge","purpose":"Which options are '
 'used?"},"otel_bridge.sequence":{"brief":"The place of this record among those of its run, from '
 '1.","category":"interaction","owner":"otel-bridge","purpose":"In which order do things '
 'happen?"},"process.executable.name":{"brief":"The script that was started, as the product registered '
 'it.","category":"interaction","owner":"otel-bridge","purpose":"Which commands are '
 'used?"},"process.exit.code":{"brief":"The status that the process left '
 'with.","category":"reliability","owner":"otel-bridge","purpose":"Which commands '
 'fail?"},"process.runtime.name":{"brief":"The '
 'interpreter.","category":"platform","owner":"otel-bridge","purpose":"Which interpreters must '
 'work?"},"process.runtime.version":{"brief":"The interpreter\'s version, major and '
 'minor.","category":"platform","owner":"otel-bridge","purpose":"Which interpreters must '
 'work?"},"service.name":{"brief":"The product.","category":"platform","owner":"otel-bridge","purpose":"Which product '
 'is used?"},"service.version":{"brief":"The product\'s version, numbers '
 'only.","category":"platform","owner":"otel-bridge","purpose":"Which versions are in use?"},"session.id":{"brief":"A '
 'random id of runs that follow each other within ten minutes; every family of products is told another '
 'one.","category":"interaction","owner":"otel-bridge","purpose":"Which commands are used '
 'together?"},"shop.items":{"brief":"How many things were ordered at once, as the upper bound of a '
 'range.","category":"interaction","owner":"telemetry@example.org","purpose":"How large are '
 'orders?"},"shop.payment":{"brief":"How an order was '
 'paid.","category":"interaction","owner":"telemetry@example.org","purpose":"Which ways to pay are '
 'used?"}},"events":{"canary":{"brief":"Nothing happened; somebody asked whether events arrive (`otel-bridge '
 'canary`).","category":""},"deletion.request":{"brief":"The person wants every record of these installation ids '
 'deleted (`otel-bridge forget`).","category":""},"shop.order":{"brief":"Something was '
 'ordered.","category":"interaction"},"shop.price":{"brief":"A price was worked '
 'out.","category":"reliability"},"shop.request":{"brief":"A request that shop has '
 'answered.","category":"interaction"},"telemetry.dropped":{"brief":"Records were dropped on this machine, or refused; '
 'how many, and why.","category":""}}}')
