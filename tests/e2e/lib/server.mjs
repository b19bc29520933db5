export class Server { static async start() { throw new Error('later'); } }
