// A Vendure for tests: on loopback, on the port and the database that the environment names, without a worker.
// Says one line on its standard output once it takes calls, and ends when its standard input does.
const { bootstrap, DefaultLogger, dummyPaymentHandler, LogLevel, LanguageCode, PaymentMethodHandler } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');

const env = process.env;

// Pays back at once, but 6.66 never; the dummy that Vendure brings leaves paying back to people.
const payingBack = new PaymentMethodHandler({
    code: 'paying-back',
    description: [{ languageCode: LanguageCode.en, value: 'Pays back' }],
    args: {},
    createPayment: (ctx, order, amount) => ({ amount, state: 'Settled', transactionId: order.code, metadata: {} }),
    settlePayment: () => ({ success: true }),
    createRefund: (ctx, input, amount) => ({ state: amount === 666 ? 'Failed' : 'Settled', transactionId: 'r', metadata: {} }),
});

const config = {
    apiOptions: { hostname: '127.0.0.1', port: Number(env.PEER_PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: {
        tokenMethod: env.PEER_TOKENS.split(','),
        superadminCredentials: { identifier: 'steward', password: env.PEER_PASSWORD },
        cookieOptions: { secret: env.PEER_PASSWORD },
        requireVerification: false,
    },
    dbConnectionOptions: { type: 'postgres', url: env.PEER_DATABASE, synchronize: true, logging: false },
    paymentOptions: { paymentMethodHandlers: [payingBack, dummyPaymentHandler] },
    logger: new DefaultLogger({ level: LogLevel.Warn }),
};

const initialData = {
    defaultLanguage: LanguageCode.en,
    defaultZone: 'Europe',
    countries: [
        { name: 'Germany', code: 'DE', zone: 'Europe' },
        { name: 'France', code: 'FR', zone: 'Europe' },
    ],
    taxRates: [{ name: 'Standard Tax', percentage: 20 }],
    shippingMethods: [{ name: 'Parcel', price: 0 }],
    paymentMethods: [
        { name: 'Paying back', handler: { code: 'paying-back', arguments: [] } },
        { name: 'By hand', handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] } },
    ],
    collections: [],
};

const start = () => bootstrap(config);

(env.PEER_POPULATE ? populate(start, initialData) : start()).then(
    () => process.stdout.write('ready\n'),
    error => {
        process.stderr.write(`${error.stack}\n`);
        process.exit(1);
    },
);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
