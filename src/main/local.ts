/** The whole of Atrium on one laptop: `npm start`. */
import './local/start';
